package org.kvmdb.tools.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.kvmdb.Scope;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * Random overwrites of several times what a store holds that cannot grow: bytes written for each byte of a block of a page,
 * blocks, records and padding counted, by the log and by the cleaner; those of map nodes and other parts of checkpoints are a
 * figure of their own. A share of live bytes counts blocks with the records and the padding that they were written with. Then the
 * latency of commits in that state, beside that of the same commits in a store with room. Of segments there are as many as in a
 * store of 16 GiB, but they are small, so that all of it takes three to five minutes.
 */
final class CleanerBench implements Bench {

    private static final int PAGE_BYTES = 4096;
    private static final int SEGMENT_BYTES = 256 << 10;
    private static final long SEGMENTS_BYTES = 1024L * SEGMENT_BYTES;
    private static final long SUPERBLOCK_BYTES = 1 << 20;
    private static final int PAGES_PER_COMMIT = 64;

    /** Pages that hold so many random bytes and zeros behind: blocks of 1 to 3 KiB. */
    private static final int RANDOM_BYTES_MIN = 1024;

    private static final int RANDOM_BYTES_MAX = 3072;

    /**
     * Which pages are overwritten, and how often all of them are, on average; what is written before is not counted, for the store
     * comes to a steady state first, later when most of it is cold.
     */
    private record Skew(String name, double hotShare, double hotWrites, int turns, int turnsBefore) {
        long page(SplittableRandom random, long pages) {
            long hot = (long) (pages * hotShare);
            return random.nextDouble() < hotWrites ? random.nextLong(hot) : random.nextLong(hot, pages);
        }
    }

    private static final Skew UNIFORM = new Skew("uniform", 1, 1, 5, 3);
    private static final Skew HOT = new Skew("90-10", 0.1, 0.9, 9, 5);

    private double busyP99Nanos;
    private double idleP99Nanos;

    @Override
    public List<Figure> run(BenchContext context) {
        List<Figure> figures = new ArrayList<>();
        idle(context);
        figures.addAll(overwrite(context, 75, UNIFORM, 2.5));
        figures.add(new Figure(
                "cleaner-p99", "a commit of 64 pages while the cleaner works, p99", busyP99Nanos, "ns",
                "the same in a store with room", idleP99Nanos, busyP99Nanos / idleP99Nanos, Figure.Aim.atMost(3)));
        figures.addAll(overwrite(context, 75, HOT, 1.5));
        figures.addAll(overwrite(context, 80, UNIFORM, 3.1));
        figures.addAll(overwrite(context, 80, HOT, 1.7));
        return figures;
    }

    private static StoreOptions options() {
        return StoreOptions.defaults().withSegmentSizeBytes(SEGMENT_BYTES).withCacheSizeBytes(64 << 20);
    }

    /** One turn without a limit, before the cleaner has anything to do. */
    private void idle(BenchContext context) {
        try (Store store = Store.create(context.directory().resolve("idle"), options())) {
            Filler filler = new Filler(store);
            filler.fill(SEGMENTS_BYTES * 3 / 4);
            for (long done = 0; done < filler.pages / 4; done += PAGES_PER_COMMIT) {
                filler.overwrite(UNIFORM);
            }
            idleP99Nanos = filler.latency.getValueAtPercentile(99);
        }
    }

    private List<Figure> overwrite(BenchContext context, int livePercent, Skew skew, double aim) {
        Path directory = context.directory().resolve("clean-%d-%s".formatted(livePercent, skew.name));
        StoreOptions options = options().withMaxSizeBytes(SUPERBLOCK_BYTES + SEGMENTS_BYTES);
        try (Store store = Store.create(directory, options)) {
            Filler filler = new Filler(store);
            filler.fill(SEGMENTS_BYTES / 100 * livePercent);
            StoreStatistics before = store.statistics();
            StoreStatistics last = before;
            for (int turn = 1; turn <= skew.turns; turn++) {
                for (long done = 0; done < filler.pages; done += PAGES_PER_COMMIT) {
                    filler.overwrite(skew);
                }
                StoreStatistics now = store.statistics();
                context.say("cleaner: %d %% live, %s, turn %d: %.3f, checkpoints %.3f, live %.3f, waited %d ms", livePercent,
                        skew.name, turn, dataBytes(last, now) / blockBytes(last, now),
                        mapBytes(last, now) / blockBytes(last, now),
                        (double) now.log().liveBytes() / SEGMENTS_BYTES,
                        (now.cleaning().waitedNanos() - last.cleaning().waitedNanos()) / 1_000_000);
                last = now;
                if (turn == skew.turnsBefore) {
                    before = now;
                    filler.latency.reset();
                }
            }
            if (busyP99Nanos == 0) {
                busyP99Nanos = filler.latency.getValueAtPercentile(99);
            }
            return figures(before, last, "cleaner-%d-%s".formatted(livePercent, skew.name), aim);
        }
    }

    private static List<Figure> figures(StoreStatistics before, StoreStatistics after, String name, double aim) {
        double blocks = blockBytes(before, after);
        double data = dataBytes(before, after);
        double map = mapBytes(before, after);
        return List.of(
                new Figure(
                        name, "bytes written by log and cleaner", data, "B", "bytes of pages, compressed", blocks,
                        data / blocks, Figure.Aim.atMost(aim)),
                new Figure(
                        name + "-map", "bytes written by checkpoints", map, "B", "bytes of pages, compressed", blocks,
                        map / blocks, Figure.Aim.NONE));
    }

    private static double blockBytes(StoreStatistics before, StoreStatistics after) {
        return after.log().blockBytes() - before.log().blockBytes();
    }

    private static double mapBytes(StoreStatistics before, StoreStatistics after) {
        return after.log().checkpointBytes() - before.log().checkpointBytes();
    }

    private static double dataBytes(StoreStatistics before, StoreStatistics after) {
        return after.log().bytesWritten()
                - before.log().bytesWritten()
                - mapBytes(before, after)
                + after.cleaning().bytesWritten()
                - before.cleaning().bytesWritten();
    }

    /** Writes pages of random content, and notes how long commits take. */
    private static final class Filler {
        private static final long VOLUME_BYTES = 4L << 30;

        private final Store store;
        private final Volume volume;
        private final MemorySegment memory;
        private final SplittableRandom random = new SplittableRandom(1);
        private final Histogram latency = new Histogram(3);
        private long pages;

        Filler(Store store) {
            this.store = store;
            volume = store.createVolume("v", VolumeOptions.ofSizeBytes(VOLUME_BYTES));
            memory = volume.memory();
        }

        /** Everything that is written is live, records and padding of its batches with it. */
        void fill(long liveBytes) {
            while (store.statistics().log().bytesWritten() < liveBytes) {
                try (Scope _ = volume.writeScope()) {
                    for (int i = 0; i < PAGES_PER_COMMIT; i++) {
                        write(pages++);
                    }
                }
                volume.commit();
            }
            store.checkpoint();
        }

        void overwrite(Skew skew) {
            try (Scope _ = volume.writeScope()) {
                for (int i = 0; i < PAGES_PER_COMMIT; i++) {
                    write(skew.page(random, pages));
                }
            }
            long begin = System.nanoTime();
            volume.commit();
            latency.recordValue(System.nanoTime() - begin);
        }

        private void write(long page) {
            int length = random.nextInt(RANDOM_BYTES_MIN, RANDOM_BYTES_MAX) & -Long.BYTES;
            long offset = page * PAGE_BYTES;
            for (int i = 0; i < length; i += Long.BYTES) {
                memory.set(ValueLayout.JAVA_LONG, offset + i, random.nextLong());
            }
            memory.asSlice(offset + length, PAGE_BYTES - length).fill((byte) 0);
        }
    }
}
