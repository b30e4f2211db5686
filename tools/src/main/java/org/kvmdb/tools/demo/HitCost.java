package org.kvmdb.tools.demo;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.kvmdb.Pin;
import org.kvmdb.PinMode;
import org.kvmdb.Volume;

/**
 * What reading eight bytes of a resident page costs, beside plain memory of the same size and content: the same
 * compiled loop over both, in alternating rounds, medians.
 *
 * @param volumeNanos a read from the volume
 * @param plainNanos a read from plain memory
 */
record HitCost(double volumeNanos, double plainNanos) {

    private static final int ROUNDS = 31;
    private static final int READS = 1 << 20;
    private static final int WARM_UP_ROUNDS = 10;

    /** 1 when a hit costs what plain memory does. */
    double ratio() {
        return plainNanos / volumeNanos;
    }

    /** @param lengthBytes how much of the volume's start to read, a power of two; it is pinned meanwhile */
    static HitCost measure(Volume volume, long lengthBytes) {
        try (Arena arena = Arena.ofShared();
                Pin _ = volume.pin(0, lengthBytes, PinMode.READ)) {
            MemorySegment resident = volume.memory().asSlice(0, lengthBytes);
            MemorySegment plain = arena.allocate(lengthBytes, 4096);
            plain.copyFrom(resident);
            double[] volumeNanos = new double[ROUNDS];
            double[] plainNanos = new double[ROUNDS];
            long difference = 0;
            for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
                int slot = Math.max(0, round);
                boolean volumeFirst = (round & 1) == 0;
                long start = System.nanoTime();
                long first = sum(volumeFirst ? resident : plain, lengthBytes - 1);
                long middle = System.nanoTime();
                long second = sum(volumeFirst ? plain : resident, lengthBytes - 1);
                long end = System.nanoTime();
                difference |= first ^ second;
                volumeNanos[slot] = (double) (volumeFirst ? middle - start : end - middle) / READS;
                plainNanos[slot] = (double) (volumeFirst ? end - middle : middle - start) / READS;
            }
            if (difference != 0) {
                throw new ProofFailedException("volume " + volume.name() + " changed while nobody wrote to it");
            }
            return new HitCost(median(volumeNanos), median(plainNanos));
        }
    }

    private static long sum(MemorySegment memory, long mask) {
        long sum = 0;
        for (long i = 0; i < READS; i++) {
            // Scattered, so that each read stands for itself.
            long offset = (i * 0x9E3779B97F4A7C15L >>> 20) & mask & -Long.BYTES;
            sum += memory.get(ValueLayout.JAVA_LONG, offset);
        }
        return sum;
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }
}
