package org.kvmdb.tools.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.kvmdb.Scope;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * Reading a volume ten times the cache from start to end, by one thread that only loads from memory. Both files are in
 * the operating system's cache, so this is the store's own speed and not the disk's.
 */
final class SequentialBench implements Bench {

    private static final long CACHE_BYTES = 64 << 20;
    private static final long VOLUME_BYTES = 10 * CACHE_BYTES;
    private static final int PIECE_BYTES = 1 << 20;
    private static final String VOLUME = "sequential";

    private final OperatingSystemMXBean system =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** Gigabytes of logical data, by the clock and by the processor time of all threads. */
    private record Speed(double perSecond, double perCoreSecond) {}

    private interface Reading {
        long sum() throws IOException;
    }

    @Override
    public List<Figure> run(BenchContext context) throws IOException {
        Path directory = context.directory().resolve("sequential");
        Path plainFile = context.directory().resolve("sequential.bin");
        StoreOptions options = StoreOptions.defaults().withCacheSizeBytes(CACHE_BYTES);
        fill(context, directory, plainFile, options);
        Series wall = new Series();
        Series perCore = new Series();
        try (Store store = Store.open(directory, options);
                FileChannel channel = FileChannel.open(plainFile, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            Volume volume = store.volume(VOLUME);
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            BenchFiles.warm(directory);
            for (int round = -1; round < context.rounds(); round++) {
                Speed read = measure(() -> sumOf(channel, buffer));
                Speed mapped = measure(() -> sumOf(volume));
                context.say(
                        "sequential: %.2f GB/s (%.2f per core), read() %.2f GB/s",
                        mapped.perSecond, mapped.perCoreSecond, read.perSecond);
                if (round >= 0) {
                    wall.add(mapped.perSecond, read.perSecond);
                    perCore.add(mapped.perCoreSecond, 1);
                }
            }
        }
        return List.of(
                perCore.figure(
                        "sequential",
                        "reading ten times the cache, a core",
                        "GB/s",
                        "1 GB/s",
                        Figure.Aim.atLeast(1)),
                wall.figure(
                        "sequential-read",
                        "reading ten times the cache, one thread",
                        "GB/s",
                        "read() of a plain, cached file",
                        Figure.Aim.NONE));
    }

    private static void fill(BenchContext context, Path directory, Path plainFile, StoreOptions options)
            throws IOException {
        try (Store store = Store.create(directory, options);
                Arena arena = Arena.ofConfined();
                FileChannel channel =
                        FileChannel.open(plainFile, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            Volume volume = store.createVolume(VOLUME, VolumeOptions.ofSizeBytes(VOLUME_BYTES));
            MemorySegment data = context.data(arena, CACHE_BYTES);
            for (long position = 0; position < VOLUME_BYTES; position += CACHE_BYTES) {
                volume.write(position, data);
                volume.commit();
                for (long piece = 0; piece < CACHE_BYTES; piece += PIECE_BYTES) {
                    channel.write(data.asSlice(piece, PIECE_BYTES).asByteBuffer());
                }
            }
        }
    }

    private Speed measure(Reading reading) throws IOException {
        long startCpuNanos = system.getProcessCpuTime();
        long startNanos = System.nanoTime();
        long sum = reading.sum();
        double nanos = System.nanoTime() - startNanos;
        double cpuNanos = system.getProcessCpuTime() - startCpuNanos;
        // Bytes a nanosecond are gigabytes a second.
        return sum == Long.MIN_VALUE
                ? new Speed(0, 0)
                : new Speed(VOLUME_BYTES / nanos, VOLUME_BYTES / cpuNanos);
    }

    private static long sumOf(Volume volume) {
        MemorySegment memory = volume.memory();
        long sum = 0;
        for (long position = 0; position < VOLUME_BYTES; position += PIECE_BYTES) {
            try (Scope _ = volume.readScope()) {
                sum += sumOf(memory, position, PIECE_BYTES);
            }
        }
        return sum;
    }

    private static long sumOf(FileChannel channel, MemorySegment buffer) throws IOException {
        long sum = 0;
        for (long position = 0; position < VOLUME_BYTES; position += PIECE_BYTES) {
            channel.read(buffer.asByteBuffer(), position);
            sum += sumOf(buffer, 0, PIECE_BYTES);
        }
        return sum;
    }

    private static long sumOf(MemorySegment memory, long offset, int lengthBytes) {
        long sum = 0;
        for (int i = 0; i < lengthBytes; i += Long.BYTES) {
            sum += memory.get(ValueLayout.JAVA_LONG, offset + i);
        }
        return sum;
    }
}
