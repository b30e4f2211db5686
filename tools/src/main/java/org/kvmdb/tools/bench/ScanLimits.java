package org.kvmdb.tools.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.kvmdb.ffi.NativeFile;
import org.kvmdb.journal.Lz4;

/** What a scan of compressed pages that are on the disk cannot be faster than, in gigabytes of their content a second. */
final class ScanLimits {

    private static final int PAGE_BYTES = 4096;
    private static final int PIECE_BYTES = 1 << 20;
    private static final int LZ4_ROUNDS = 8;

    private ScanLimits() {}

    /** Reads of a megabyte, one after another, past the operating system's cache. */
    static double diskRate(Path file) {
        try (NativeFile direct = NativeFile.open(file, NativeFile.READ_ONLY | NativeFile.DIRECT);
                Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES, PAGE_BYTES);
            long startNanos = System.nanoTime();
            long total = 0;
            while (total < direct.sizeBytes()) {
                total += direct.read(total, buffer);
            }
            return (double) total / (System.nanoTime() - startNanos);
        }
    }

    /** Decompressing pages of that content and nothing else, by as many threads as there are processors. */
    static double lz4Rate(MemorySegment content) throws InterruptedException {
        int pages = (int) (content.byteSize() / PAGE_BYTES);
        byte[][] blocks = new byte[pages][];
        for (int i = 0; i < pages; i++) {
            byte[] page =
                    content.asSlice((long) i * PAGE_BYTES, PAGE_BYTES).toArray(ValueLayout.JAVA_BYTE);
            blocks[i] = Lz4.compressor().compress(page);
        }
        List<Thread> threads = new ArrayList<>();
        int processors = Runtime.getRuntime().availableProcessors();
        long startNanos = System.nanoTime();
        for (int t = 0; t < processors; t++) {
            threads.add(Thread.ofPlatform().start(() -> decompress(blocks)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return (double) processors * LZ4_ROUNDS * pages * PAGE_BYTES / (System.nanoTime() - startNanos);
    }

    private static void decompress(byte[][] blocks) {
        byte[] page = new byte[PAGE_BYTES];
        for (int round = 0; round < LZ4_ROUNDS; round++) {
            for (byte[] block : blocks) {
                Lz4.decompressor().decompress(block, 0, block.length, page, 0);
            }
        }
    }
}
