package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;
import org.kvmdb.tools.bench.Figure.Aim;

/**
 * Reading data that are larger than memory in order, every byte, by one thread. What limits it is the disk, whose rate the plain file
 * tells, times the compression; or LZ4 on all processors, which the system {@code raw} tells.
 */
final class ScanWork implements Work {

    private static final Case SCAN = Case.rate("scan", "reading in order, one thread", "GB/s");
    private static final long PIECE_PAGES = 4096;

    @Override
    public String name() {
        return "scan";
    }

    @Override
    public String what() {
        return "sequential scan, larger than memory (raw: LZ4 alone, on all processors)";
    }

    @Override
    public Set<PeerSystem> systems() {
        return EnumSet.complementOf(EnumSet.of(PeerSystem.BUFFERPOOL));
    }

    @Override
    public List<Case> cases() {
        return List.of(SCAN);
    }

    @Override
    public List<Goal> goals() {
        return Stream.of(
                        new Goal("scan-limit", SCAN, new Limit(), Aim.atLeast(1)),
                        new Goal("scan-peer", SCAN, Reference.bestOfAll(), Aim.NONE))
                .flatMap(Goal::bothWays)
                .toList();
    }

    /** Of disk and processors, whichever is less. */
    private static final class Limit implements Reference {

        @Override
        public String label(Results results, Case measured) {
            boolean known = results.median(measured, PeerSystem.FILE).isPresent()
                    && results.median(measured, PeerSystem.RAW).isPresent()
                    && results.compression().isPresent();
            return known ? "disk x compression, at most LZ4 on all processors" : "";
        }

        @Override
        public OptionalDouble value(Results results, Case measured, int round) {
            OptionalDouble disk = results.value(measured, PeerSystem.FILE, round);
            OptionalDouble lz4 = results.value(measured, PeerSystem.RAW, round);
            return disk.isEmpty() || lz4.isEmpty()
                    ? OptionalDouble.empty()
                    : OptionalDouble.of(Math.min(
                            disk.getAsDouble() * results.compression().getAsDouble(), lz4.getAsDouble()));
        }
    }

    @Override
    public boolean needsLimit() {
        return true;
    }

    @Override
    public void measure(Trial trial) throws Exception {
        boolean files = trial.system() != PeerSystem.RAW;
        Path directory = files ? trial.largeData() : trial.emptyDirectory("scan");
        trial.run(RUN, directory, trial.settings().largePages());
    }

    @Override
    public void run(String stage, ChildContext context) throws Exception {
        double bytesPerSecond = context.system() == PeerSystem.RAW ? decompress(context) : scan(context);
        context.answer(SCAN, bytesPerSecond / 1e9);
    }

    private static double scan(ChildContext context) throws Exception {
        try (Peer peer = context.open(PeerSetup.Access.SEQUENTIAL)) {
            double pages = Crew.perSecond(peer, 1, 2 * context.seconds(), (session, random) -> {
                AtomicLong next = new AtomicLong();
                return () -> {
                    long page = next.get();
                    long count = Math.min(PIECE_PAGES, context.pages() - page);
                    session.scan(page, count);
                    next.set((page + count) % context.pages());
                    return count;
                };
            });
            return pages * PageSource.PAGE_BYTES;
        }
    }

    private static double decompress(ChildContext context) throws Exception {
        try (Arena arena = Arena.ofShared();
                Peer none = new RawPeer(new PeerSetup(
                        context.directory(), 1, context.limitBytes(), PeerSetup.Access.SEQUENTIAL))) {
            byte[][] blocks = blocks(context.source(arena));
            LZ4SafeDecompressor decompressor = LZ4Factory.fastestInstance().safeDecompressor();
            int threads = Runtime.getRuntime().availableProcessors();
            double pages = Crew.perSecond(none, threads, context.seconds(), (session, random) -> {
                byte[] page = new byte[PageSource.PAGE_BYTES];
                return () -> {
                    for (byte[] block : blocks) {
                        decompressor.decompress(block, page);
                    }
                    return blocks.length;
                };
            });
            return pages * PageSource.PAGE_BYTES;
        }
    }

    private static byte[][] blocks(PageSource source) {
        LZ4Compressor compressor = LZ4Factory.fastestInstance().fastCompressor();
        byte[][] blocks = new byte[1024][];
        byte[] page = new byte[PageSource.PAGE_BYTES];
        for (int i = 0; i < blocks.length; i++) {
            source.fill(MemorySegment.ofArray(page), 0, i, 0);
            blocks[i] = compressor.compress(page);
        }
        return blocks;
    }
}
