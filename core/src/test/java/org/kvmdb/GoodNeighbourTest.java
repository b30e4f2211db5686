package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the JVM itself uses SIGBUS for works beside a store. */
@Timeout(60)
class GoodNeighbourTest {

    @TempDir
    Path directory;

    @Test
    void shouldLeaveTruncatedMappingsToTheJvmWhileAStoreFaults() throws Exception {
        try (Store store = Store.create(directory.resolve("s"), TestStores.small());
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(16 << 20));
            final AtomicBoolean stop = new AtomicBoolean();
            final Future<?> faults = threads.submit(() -> {
                for (int version = 1; !stop.get(); version++) {
                    TestStores.writePages(volume, 1, 0, 4096, version);
                    store.commit();
                    TestStores.checkPages(volume, 1, 0, 4096, version);
                }
            });
            for (int i = 0; i < 200; i++) {
                accessTruncatedMapping(directory.resolve("mapped" + i));
            }
            stop.set(true);
            faults.get(50, TimeUnit.SECONDS);
            assertTrue(store.statistics().cache().filledPages() > 0);
            assertEquals(0, store.statistics().cache().badPages());
        }
    }

    private static void accessTruncatedMapping(Path path) throws IOException {
        try (FileChannel file = FileChannel.open(
                        path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofConfined()) {
            final MemorySegment mapped = file.map(FileChannel.MapMode.READ_WRITE, 0, 8192, arena);
            mapped.set(ValueLayout.JAVA_LONG, 4096, 7);
            assertEquals(7, mapped.get(ValueLayout.JAVA_LONG, 4096));
            file.truncate(0);
            assertThrows(InternalError.class, () -> readTwice(mapped));
        }
    }

    /** The error may be delivered at the next poll or call. */
    private static long readTwice(MemorySegment mapped) {
        final long value = mapped.get(ValueLayout.JAVA_LONG, 4096);
        Thread.yield();
        return value;
    }
}
