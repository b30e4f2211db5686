package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.BooleanSupplier;

/** What the tests of a store have in common. */
final class TestStores {

    static final int PAGE = 4096;
    static final int MIB = 1 << 20;

    private TestStores() {}

    /** The smallest that there is: corners are near. */
    static StoreOptions small() {
        return StoreOptions.defaults()
                .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
                .withSegmentSizeBytes(256 << 10)
                .withMaxSizeBytes(1L << 30);
    }

    static Path dataFile(Path directory) {
        return directory.resolve(OpenStore.DATA_FILE);
    }

    /** Flips a bit of the block of a page that does not compress, wherever a copy of it lies; its first word is the marker. */
    static void flipBitOfPage(Path file, long marker) throws IOException {
        final ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
        int found = 0;
        for (int at = 0; at <= bytes.capacity() - Long.BYTES; at += 16) {
            if (bytes.getLong(at) == marker) {
                bytes.put(at + 1000, (byte) (bytes.get(at + 1000) ^ 4));
                found++;
            }
        }
        assertNotEquals(0, found, "the page's block was not found");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(bytes.clear(), 0);
        }
    }

    static MemorySegment page(Volume volume, long lpn) {
        return page(volume.memory(), lpn, volume.pageSizeBytes());
    }

    static MemorySegment page(MemorySegment memory, long lpn, int pageSizeBytes) {
        return memory.asSlice(lpn * pageSizeBytes, pageSizeBytes);
    }

    /** Writes versioned content to pages {@code from} to {@code to}. */
    static void writePages(Volume volume, int id, long from, long to, long version) {
        for (long lpn = from; lpn < to; lpn++) {
            PageContent.write(page(volume, lpn), id, lpn, version);
        }
    }

    static void checkPages(Volume volume, int id, long from, long to, long version) {
        for (long lpn = from; lpn < to; lpn++) {
            PageContent.check(page(volume, lpn), id, lpn, version);
        }
    }

    static void checkPages(Snapshot snapshot, int id, long from, long to, long version) {
        for (long lpn = from; lpn < to; lpn++) {
            PageContent.check(page(snapshot.memory(), lpn, snapshot.pageSizeBytes()), id, lpn, version);
        }
    }

    /** What is left behind by a process that is killed now: the file as the operating system has it. */
    static Path killedCopy(Path store, Path copy) throws IOException {
        Files.createDirectories(copy);
        Files.copy(dataFile(store), dataFile(copy));
        return copy;
    }

    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        final long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 20 s: " + what);
            }
            Thread.sleep(5);
        }
    }

    static void deleteTree(Path root) throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException failure) throws IOException {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
