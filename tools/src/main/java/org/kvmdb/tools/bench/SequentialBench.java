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
 * Reading a volume ten times the cache from start to end, by threads that only load from memory. The files are in the
 * operating system's cache, so that it is the store's own speed; and once not, so that it is the disk's, too.
 */
final class SequentialBench implements Bench {

    private static final long CACHE_BYTES = 64 << 20;
    private static final long VOLUME_BYTES = 10 * CACHE_BYTES;
    private static final int PIECE_BYTES = 1 << 20;
    private static final int PAGE_BYTES = 4096;
    private static final long STRIDE_PAGES = 7;
    private static final String VOLUME = "sequential";

    private final OperatingSystemMXBean system =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** Gigabytes of logical data, by the clock and by the processor time of all threads. */
    private record Speed(double perSecond, double perCoreSecond) {}

    private interface Reading {
        long sum() throws IOException;
    }

    /** Of one kind of scan, round by round. */
    private static final class Scan {
        final Series wall = new Series();
        final Series perCore = new Series();
    }

    @Override
    public List<Figure> run(BenchContext context) throws IOException, InterruptedException {
        Path directory = context.directory().resolve("sequential");
        Path plainFile = context.directory().resolve("sequential.bin");
        StoreOptions options = StoreOptions.defaults().withCacheSizeBytes(CACHE_BYTES);
        double lz4 = fill(context, directory, plainFile, options);
        Scan one = new Scan();
        Scan two = new Scan();
        Scan strided = new Scan();
        Scan cold = new Scan();
        try (Store store = Store.open(directory, options);
                FileChannel channel = FileChannel.open(plainFile, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            Volume volume = store.volume(VOLUME);
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            double ratio = (double) VOLUME_BYTES / store.statistics().log().liveBytes();
            for (int round = -1; round < context.rounds(); round++) {
                BenchFiles.warm(directory);
                BenchContext.warm(plainFile);
                Speed read = measure(VOLUME_BYTES, () -> sumOf(channel, buffer));
                Speed mapped = measure(VOLUME_BYTES, () -> sumOf(volume, 0, VOLUME_BYTES));
                Speed byTwo = measure(VOLUME_BYTES, () -> sumByTwo(volume));
                Speed steps = measure(VOLUME_BYTES / STRIDE_PAGES, () -> sumOfSteps(volume));
                double disk = ScanLimits.diskRate(plainFile) * ratio;
                BenchFiles.cool(directory);
                Speed fromDisk = measure(VOLUME_BYTES, () -> sumOf(volume, 0, VOLUME_BYTES));
                context.say(
                        "sequential: %.2f GB/s (%.2f per core), two threads %.2f, every %dth page %.2f, read() %.2f; from the"
                                + " disk %.2f, the disk itself %.2f, LZ4 %.2f",
                        mapped.perSecond,
                        mapped.perCoreSecond,
                        byTwo.perSecond,
                        STRIDE_PAGES,
                        steps.perSecond,
                        read.perSecond,
                        fromDisk.perSecond,
                        disk,
                        lz4);
                if (round >= 0) {
                    one.wall.add(mapped.perSecond, read.perSecond);
                    one.perCore.add(mapped.perCoreSecond, 1);
                    two.wall.add(byTwo.perSecond, mapped.perSecond);
                    strided.wall.add(steps.perSecond, mapped.perSecond);
                    cold.wall.add(fromDisk.perSecond, Math.min(disk, lz4));
                }
            }
        }
        return List.of(
                figure(one.perCore, "sequential", "a core", "1 GB/s", Figure.Aim.atLeast(1)),
                figure(one.wall, "sequential-read", "one thread", "read() of a plain, cached file", Figure.Aim.NONE),
                figure(two.wall, "sequential-threads", "two threads", "one thread", Figure.Aim.NONE),
                figure(strided.wall, "sequential-strided", "every 7th page", "every page", Figure.Aim.NONE),
                figure(
                        cold.wall,
                        "sequential-disk",
                        "nothing of it cached",
                        "disk x ratio, at most LZ4 on all cores",
                        Figure.Aim.atLeast(1)));
    }

    private static Figure figure(Series series, String name, String how, String peer, Figure.Aim aim) {
        return series.figure(name, "reading ten times the cache, " + how, "GB/s", peer, aim);
    }

    /** Returns what LZ4 alone makes of the content. */
    private static double fill(BenchContext context, Path directory, Path plainFile, StoreOptions options)
            throws IOException, InterruptedException {
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
            channel.force(false);
            return ScanLimits.lz4Rate(data);
        }
    }

    private Speed measure(long lengthBytes, Reading reading) throws IOException {
        long startCpuNanos = system.getProcessCpuTime();
        long startNanos = System.nanoTime();
        long sum = reading.sum();
        double nanos = System.nanoTime() - startNanos;
        double cpuNanos = system.getProcessCpuTime() - startCpuNanos;
        // Bytes a nanosecond are gigabytes a second.
        return sum == Long.MIN_VALUE
                ? new Speed(0, 0)
                : new Speed(lengthBytes / nanos, lengthBytes / cpuNanos);
    }

    private static long sumOf(Volume volume, long from, long to) {
        MemorySegment memory = volume.memory();
        long sum = 0;
        for (long position = from; position < to; position += PIECE_BYTES) {
            try (Scope _ = volume.readScope()) {
                sum += sumOf(memory, position, PIECE_BYTES);
            }
        }
        return sum;
    }

    private static long sumByTwo(Volume volume) {
        Thread other = Thread.ofPlatform().start(() -> sumOf(volume, VOLUME_BYTES / 2, VOLUME_BYTES));
        long sum = sumOf(volume, 0, VOLUME_BYTES / 2);
        try {
            other.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return sum;
    }

    private static long sumOfSteps(Volume volume) {
        MemorySegment memory = volume.memory();
        long sum = 0;
        try (Scope _ = volume.readScope()) {
            for (long position = 0; position < VOLUME_BYTES; position += STRIDE_PAGES * PAGE_BYTES) {
                sum += sumOf(memory, position, PAGE_BYTES);
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
