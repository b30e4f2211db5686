package org.kvmdb.tools.demo;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * What every transaction writes, as a pure function of (seed, thread, number): the worker applies it to the volume, the
 * proof to its own copy.
 *
 * <p>A thread owns the pages whose number is its own modulo the number of threads, so the order between threads does
 * not matter. Besides, each transaction writes its number into its thread's page of the ledger, a volume of its own:
 * what is recovered says by itself which transaction it stands at, and the two volumes must agree.
 *
 * @param threads writers
 * @param dataPages pages of the data volume
 */
record Workload(long seed, int threads, long dataPages, int pageSizeBytes) {

    private static final int CHANGE_BYTES_MIN = 64;

    /** Where a thread's ledger page starts. */
    long ledgerOffset(int thread) {
        return (long) thread * pageSizeBytes;
    }

    long ledgerSizeBytes() {
        return (long) threads * pageSizeBytes;
    }

    long ledgerNumber(MemorySegment ledger, int thread) {
        return ledger.get(ValueLayout.JAVA_LONG_UNALIGNED, ledgerOffset(thread));
    }

    /**
     * Applies one transaction.
     *
     * @param scratch at least a page
     * @return bytes changed
     */
    long apply(int thread, long number, MemorySegment data, MemorySegment ledger, MemorySegment scratch) {
        SplittableRandom random = new SplittableRandom(mix(seed, thread, number));
        int changes = changes(random);
        long changedBytes = Long.BYTES;
        for (int i = 0; i < changes; i++) {
            long lpn = lpn(random, thread);
            int length = random.nextInt(CHANGE_BYTES_MIN, pageSizeBytes / 2) & -Long.BYTES;
            int offset = random.nextInt(0, pageSizeBytes - length) & -Long.BYTES;
            content(random, lpn, scratch, length);
            MemorySegment.copy(scratch, 0, data, lpn * pageSizeBytes + offset, length);
            changedBytes += length;
        }
        ledger.set(ValueLayout.JAVA_LONG_UNALIGNED, ledgerOffset(thread), number);
        return changedBytes;
    }

    /** Mostly small, now and then one of many pages. */
    private static int changes(SplittableRandom random) {
        int kind = random.nextInt(1000);
        if (kind < 900) {
            return random.nextInt(1, 9);
        }
        return kind < 995 ? random.nextInt(9, 65) : random.nextInt(256, 1025);
    }

    private long lpn(SplittableRandom random, int thread) {
        long owned = (dataPages - thread + threads - 1) / threads;
        return random.nextLong(owned) * threads + thread;
    }

    /** The page's number, then letters of a small alphabet: about half as compressible as text. */
    private static void content(SplittableRandom random, long lpn, MemorySegment scratch, int length) {
        scratch.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, lpn);
        for (int at = Long.BYTES; at < length; at += Long.BYTES) {
            // One letter a byte.
            long letters = random.nextLong() & 0x0F0F0F0F0F0F0F0FL | 0x6060606060606060L;
            scratch.set(ValueLayout.JAVA_LONG_UNALIGNED, at, letters);
        }
    }

    private static long mix(long seed, int thread, long number) {
        long mixed = (seed + 0x9E3779B97F4A7C15L * (thread + 1)) ^ (number * 0xBF58476D1CE4E5B9L);
        mixed = (mixed ^ (mixed >>> 29)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 32);
    }
}
