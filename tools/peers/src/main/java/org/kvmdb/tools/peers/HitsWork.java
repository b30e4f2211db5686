package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.kvmdb.tools.bench.Figure.Aim;
import org.kvmdb.tools.bench.Series;

/** Reads of eight bytes at random places of pages that are all in memory. */
final class HitsWork implements Work {

    private static final List<Integer> THREADS = List.of(1, 2);
    private static final double NANOS_PER_SECOND = 1e9;
    /** Places are drawn before the clock runs. A power of two. */
    private static final int PLACES = 64 << 10;
    /** Of the time of a case: memory of a system and plain memory take turns, for one process differs from the next by a quarter. */
    private static final int PIECES = 5;

    @Override
    public String name() {
        return "hits";
    }

    @Override
    public String what() {
        return "reads of 8 bytes at random places, an eighth of the limit, all resident";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.complementOf(EnumSet.of(PeerSystem.KVMDB_CALLS, PeerSystem.FILE));
    }

    private static Case measured(int threads) {
        return Case.cost("hits-" + threads, "a read of 8 bytes that are resident, threads: " + threads, "ns");
    }

    /** Of systems whose pages are memory. */
    private static Case plain(int threads) {
        return Case.cost(
                "hits-plain-" + threads, "the same of plain memory in the same process, threads: " + threads, "ns");
    }

    @Override
    public List<Case> cases() {
        return THREADS.stream().flatMap(threads -> Stream.of(measured(threads), plain(threads))).toList();
    }

    @Override
    public List<Goal> goals() {
        List<Goal> goals = new ArrayList<>();
        for (int threads : THREADS) {
            Case measured = measured(threads);
            goals.add(new Goal(
                    "hits-plain-" + threads,
                    measured,
                    Reference.of("plain memory", plain(threads)),
                    Aim.atLeast(0.97)));
            goals.add(new Goal(
                    "hits-bufferpool-" + threads, measured, Reference.of(PeerSystem.BUFFERPOOL), Aim.atLeast(5)));
            goals.add(new Goal("hits-peer-" + threads, measured, Reference.bestStore(), Aim.NONE));
        }
        return goals;
    }

    @Override
    public void measure(Trial trial) throws Exception {
        long pages = Math.max(trial.settings().limitBytes() / 8 / PageSource.PAGE_BYTES, 1);
        boolean lasts = trial.system().role() != PeerSystem.Role.FLOOR;
        trial.run(RUN, lasts ? trial.data("hits", pages) : trial.emptyDirectory("hits"), pages);
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer peer = context.open(PeerSetup.Access.SEQUENTIAL)) {
            if (context.system().role() == PeerSystem.Role.FLOOR) {
                peer.load(context.pages(), context.source(arena));
            }
            try (Session session = peer.session()) {
                session.scan(0, context.pages());
                session.scan(0, context.pages());
            }
            MemorySegment memory = peer.memory();
            Crew.Job job = memory == null
                    ? (session, random) -> {
                        long[] places = places(context, random);
                        return () -> readWords(session, places);
                    }
                    : memoryJob(memory, context);
            Crew.perSecond(peer, 1, context.seconds() / 2, job);
            boolean isBeside = memory != null && context.system().role() != PeerSystem.Role.FLOOR;
            Crew.Job plain = isBeside ? memoryJob(plainMemory(arena, memory.byteSize()), context) : null;
            for (int threads : THREADS) {
                compare(context, peer, threads, job, plain);
            }
        }
    }

    private static Crew.Job memoryJob(MemorySegment memory, ChildContext context) {
        return (session, random) -> {
            long[] places = places(context, random);
            return () -> readMemory(memory, places);
        };
    }

    private static MemorySegment plainMemory(Arena arena, long bytes) {
        return arena.allocate(bytes, PageSource.PAGE_BYTES).fill((byte) 1);
    }

    /** Nanoseconds of one thread, as a thread sees it. */
    private static void compare(ChildContext context, Peer peer, int threads, Crew.Job job, Crew.Job plain)
            throws Exception {
        List<Double> nanos = new ArrayList<>();
        List<Double> plainNanos = new ArrayList<>();
        double seconds = context.seconds() / PIECES;
        for (int piece = 0; piece < PIECES; piece++) {
            nanos.add(threads * NANOS_PER_SECOND / Crew.perSecond(peer, threads, seconds, job));
            if (plain != null) {
                plainNanos.add(threads * NANOS_PER_SECOND / Crew.perSecond(peer, threads, seconds, plain));
            }
        }
        context.answer(measured(threads), Series.median(nanos));
        if (plain != null) {
            context.answer(plain(threads), Series.median(plainNanos));
        }
    }

    private static long[] places(ChildContext context, SplittableRandom random) {
        int words = PageSource.COMMON_BYTES / Long.BYTES;
        return random.longs(PLACES, 0, context.pages())
                .map(page -> page * PageSource.PAGE_BYTES + random.nextInt(words) * (long) Long.BYTES)
                .toArray();
    }

    /** The loop that a user would write: the segment is a local variable. */
    private static long readMemory(MemorySegment memory, long[] places) {
        long sum = 0;
        for (long place : places) {
            sum += memory.get(ValueLayout.JAVA_LONG, place);
        }
        return blackhole(sum, places.length);
    }

    private static long readWords(Session session, long[] places) {
        long sum = 0;
        for (long place : places) {
            sum += session.word(place / PageSource.PAGE_BYTES, (int) (place % PageSource.PAGE_BYTES));
        }
        return blackhole(sum, places.length);
    }

    /** So that nothing is optimised away. */
    private static long blackhole(long sum, long reads) {
        return sum == Long.MIN_VALUE + 1 ? reads + 1 : reads;
    }
}
