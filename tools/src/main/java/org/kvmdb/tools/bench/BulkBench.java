package org.kvmdb.tools.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/** Ten thousand pages in one commit: what is written besides their blocks. */
final class BulkBench implements Bench {

    private static final int PAGES = 10_000;
    private static final long BYTES = PAGES * 4096L;

    @Override
    public List<Figure> run(BenchContext context) throws IOException {
        Series written = new Series();
        Series speed = new Series();
        StoreOptions options = StoreOptions.defaults().withCacheSizeBytes(4 * BYTES);
        try (Store store = Store.create(context.directory().resolve("bulk"), options);
                Arena arena = Arena.ofConfined()) {
            Volume volume = store.createVolume("bulk", VolumeOptions.ofSizeBytes(BYTES));
            MemorySegment data = context.data(arena, BYTES);
            for (int round = 0; round < context.rounds(); round++) {
                volume.write(0, data);
                StoreStatistics.Log before = store.statistics().log();
                long startNanos = System.nanoTime();
                volume.commit();
                double seconds = (System.nanoTime() - startNanos) / 1e9;
                StoreStatistics.Log after = store.statistics().log();
                double blockBytes = after.blockBytes() - before.blockBytes();
                written.add(after.bytesWritten() - before.bytesWritten(), blockBytes);
                speed.add(BYTES / seconds / 1e9, blockBytes / seconds / 1e9);
                context.say("bulk: %.0f bytes of blocks in %.3f s", blockBytes, seconds);
            }
        }
        return List.of(
                written.figure(
                        "bulk",
                        "bytes written, 10,000 pages in a commit",
                        "B",
                        "bytes of blocks",
                        Figure.Aim.atMost(1.1)),
                speed.figure(
                        "bulk-speed", "logical bytes committed", "GB/s", "bytes of blocks written", Figure.Aim.NONE));
    }
}
