package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.kvmdb.tools.bench.Figure.Aim;

/** A thousand random pages overwritten in one durable transaction, one thread. */
final class TransactionsWork implements Work {

    private static final int PAGES = 1000;
    private static final Case RATE =
            Case.rate("transactions", "pages in durable transactions of " + PAGES, "pages/s");
    private static final Case WRITTEN =
            Case.cost("transactions-written", "bytes written for each byte changed", "of the data");
    private static final Case PER_COMPRESSED = Case.cost(
            "transactions-written-compressed", "bytes written for each byte changed, compressed", "of its LZ4");

    @Override
    public String name() {
        return "transactions";
    }

    @Override
    public String what() {
        return "durable transactions of 1,000 random pages, one thread, data a quarter of the limit; bytes as"
                + " write_bytes of /proc/self/io";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.complementOf(EnumSet.of(PeerSystem.KVMDB_CALLS, PeerSystem.RAW, PeerSystem.BUFFERPOOL));
    }

    @Override
    public List<Case> cases() {
        return List.of(RATE, WRITTEN, PER_COMPRESSED);
    }

    @Override
    public List<Goal> goals() {
        return List.of(
                new Goal("transactions-peer", RATE, Reference.bestStore(), Aim.atLeast(2.5)),
                new Goal("transactions-floor", RATE, Reference.of(PeerSystem.FILE), Aim.NONE),
                new Goal(
                        "transactions-written",
                        PER_COMPRESSED,
                        Reference.constant("LZ4 alone", 1),
                        Aim.atMost(1.05)),
                new Goal("transactions-written-peer", WRITTEN, Reference.bestStore(), Aim.NONE));
    }

    @Override
    public void measure(Trial trial) throws Exception {
        trial.runOnSmallData(RUN);
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer peer = context.open(PeerSetup.Access.RANDOM)) {
            PageSource source = context.source(arena);
            peer.readAll(context.pages());
            AtomicLong pages = new AtomicLong();
            Crew.Job job = (session, random) -> () -> {
                int count = transaction(context, session, source, random);
                pages.addAndGet(count);
                return count;
            };
            Crew.compile(peer, 1, context.seconds(), job);
            long pagesBefore = pages.get();
            long writtenBefore = writtenBytes();
            double perSecond = Crew.perSecond(peer, 1, context.seconds(), job);
            long bytes = (pages.get() - pagesBefore) * PageSource.PAGE_BYTES;
            double written = (double) (writtenBytes() - writtenBefore) / bytes;
            context.answer(RATE, perSecond);
            context.answer(WRITTEN, written);
            context.answer(PER_COMPRESSED, written * context.compression());
        }
    }

    private static int transaction(
            ChildContext context, Session session, PageSource source, SplittableRandom random) {
        int count = (int) Math.min(PAGES, context.pages() / 4);
        long[] pages = random.longs(0, context.pages()).distinct().limit(count).toArray();
        session.commit(pages, count, source, CommitWork.version(random));
        return count;
    }

    /** What this process has had written to devices; what it wrote and took back before that is not counted. */
    private static long writtenBytes() throws IOException {
        long written = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/io"))) {
            String[] words = line.split(": ");
            if (words[0].equals("write_bytes")) {
                written += Long.parseLong(words[1]);
            } else if (words[0].equals("cancelled_write_bytes")) {
                written -= Long.parseLong(words[1]);
            }
        }
        return written;
    }
}
