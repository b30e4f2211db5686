package org.kvmdb.tools.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.kvmdb.Scope;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.PageOrder;

/**
 * Faults whose block is in the operating system's cache: read, verified, decompressed, mapped. Timed from outside, at
 * the access, signal included, as the C program times those that it is compared with.
 */
final class FaultBench implements Bench {

    private static final int PAGES = 1 << 15;
    private static final int PAGE_BYTES = 4096;
    private static final String VOLUME = "fault";

    @Override
    public List<Figure> run(BenchContext context) throws IOException, InterruptedException {
        Path directory = context.directory().resolve("fault");
        StoreOptions roomy = StoreOptions.defaults().withCacheSizeBytes(2L * PAGES * PAGE_BYTES);
        StoreOptions tight = StoreOptions.defaults().withCacheSizeBytes((long) PAGES * PAGE_BYTES / 4);
        fill(context, directory, roomy);
        FaultFloor floor = new FaultFloor(context, PAGES);
        Series bare = new Series();
        Series handler = new Series();
        Series sameWork = new Series();
        Series handlerSameWork = new Series();
        Series evicting = new Series();
        Series tier = new Series();
        Series tierHandler = new Series();
        TierFaults tierFaults = new TierFaults(directory, PAGES);
        // The first round warms up compiler and caches.
        for (int round = -1; round < context.rounds(); round++) {
            Map<String, Double> limits = floor.measure();
            double fault = p50Nanos(directory, roomy);
            double evictingFault = p50Nanos(directory, tight);
            double tierFault = tierFaults.p50Nanos();
            context.say(
                    "fault: %.0f ns, with eviction %.0f ns, from the tier %.0f ns; limits %s",
                    fault, evictingFault, tierFault, limits);
            if (round < 0) {
                continue;
            }
            bare.add(fault, limits.get("sigbus_copy"));
            handler.add(limits.get("thread_copy"), fault);
            evicting.add(evictingFault, limits.get("sigbus_copy"));
            tier.add(tierFault, limits.get("sigbus_copy"));
            if (limits.containsKey("sigbus_work")) {
                sameWork.add(fault, limits.get("sigbus_work"));
                handlerSameWork.add(limits.get("thread_work"), fault);
                tierHandler.add(limits.get("thread_work"), tierFault);
            }
        }
        return List.of(
                bare.figure(
                        "fault",
                        "a fault, verified and decompressed, p50",
                        "ns",
                        "bare SIGBUS + UFFDIO_COPY",
                        Figure.Aim.atMost(2)),
                handlerSameWork.figure(
                        "fault-handler", "handler thread, same work, p50", "ns", "a fault", Figure.Aim.atLeast(2.5)),
                handler.figure(
                        "fault-handler-bare", "handler thread, bare copy, p50", "ns", "a fault", Figure.Aim.NONE),
                sameWork.figure(
                        "fault-work", "a fault, p50", "ns", "bare SIGBUS + pread, CRC, LZ4", Figure.Aim.NONE),
                tier.figure(
                        "fault-tier",
                        "a fault from the compressed tier, p50",
                        "ns",
                        "bare SIGBUS + UFFDIO_COPY",
                        Figure.Aim.atMost(1.6)),
                tierHandler.figure(
                        "fault-tier-handler",
                        "handler thread, pread, CRC, LZ4, p50",
                        "ns",
                        "a fault from the compressed tier",
                        Figure.Aim.atLeast(2.5)),
                evicting.figure(
                        "fault-evicting",
                        "a fault, cache full, p50",
                        "ns",
                        "bare SIGBUS + UFFDIO_COPY",
                        Figure.Aim.NONE));
    }

    private static void fill(BenchContext context, Path directory, StoreOptions options) throws IOException {
        try (Store store = Store.create(directory, options);
                Arena arena = Arena.ofConfined()) {
            Volume volume = store.createVolume(VOLUME, VolumeOptions.ofSizeBytes((long) PAGES * PAGE_BYTES));
            volume.write(0, context.data(arena, (long) PAGES * PAGE_BYTES));
            volume.snapshot("written");
        }
    }

    /** Opens the store anew, so that its cache is empty, and touches every page once. */
    private static double p50Nanos(Path directory, StoreOptions options) throws IOException {
        BenchFiles.warm(directory);
        PageOrder order = new PageOrder(PAGES, 1);
        Histogram histogram = new Histogram(3);
        long sum = 0;
        try (Store store = Store.open(directory, options)) {
            Volume volume = store.volume(VOLUME);
            MemorySegment memory = volume.memory();
            try (Scope _ = volume.readScope()) {
                for (int position = 0; position < PAGES; position++) {
                    long offset = order.page(position) * PAGE_BYTES;
                    long startNanos = System.nanoTime();
                    // Without fences the compiler moves the load out of what is timed.
                    VarHandle.fullFence();
                    sum += memory.get(ValueLayout.JAVA_LONG, offset);
                    VarHandle.fullFence();
                    histogram.recordValue(System.nanoTime() - startNanos);
                }
            }
            long faults = store.statistics().cache().readFaults();
            if (faults < PAGES * 9L / 10) {
                throw new CommandFailedException("only %d of %d pages came through faults".formatted(faults, PAGES));
            }
        }
        return sum == Long.MIN_VALUE ? Double.NaN : histogram.getValueAtPercentile(50);
    }
}
