package org.kvmdb.tools.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.kvmdb.Scope;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * Durable commits of one page, beside the least that the disk asks for: 4 KiB written and fdatasync, to a file that has
 * been written before (new space costs more).
 */
final class CommitBench implements Bench {

    private static final int PAGE_BYTES = 4096;
    private static final long VOLUME_BYTES = 16 << 20;
    private static final int PAGES = (int) (VOLUME_BYTES / PAGE_BYTES);
    private static final int COMMITS_PER_ROUND = 1000;
    /** Until the compiler is done with what a commit runs, and the log is in segments that were prepared. */
    private static final int COMMITS_TO_WARM_UP = 15_000;
    private static final int THREADS = 16;
    private static final int FEWER_THREADS = 8;
    private static final long CONCURRENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    @Override
    public List<Figure> run(BenchContext context) throws IOException, InterruptedException, ExecutionException {
        StoreOptions options = StoreOptions.defaults();
        Path plainFile = context.directory().resolve("commit.bin");
        try (Store store = Store.create(context.directory().resolve("commit"), options);
                FileChannel plain = FileChannel.open(
                        plainFile, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                Arena arena = Arena.ofShared();
                ExecutorService executor = Executors.newFixedThreadPool(THREADS)) {
            MemorySegment data = context.data(arena, VOLUME_BYTES);
            Volume volume = store.createVolume("commit", VolumeOptions.ofSizeBytes(VOLUME_BYTES));
            volume.write(0, data);
            volume.commit();
            plain.write(data.asByteBuffer());
            plain.force(true);
            List<Figure> figures = new ArrayList<>(one(context, store, volume, plain, data));
            figures.addAll(many(context, volume, executor));
            return figures;
        }
    }

    private static List<Figure> one(
            BenchContext context, Store store, Volume volume, FileChannel plain, MemorySegment data)
            throws IOException {
        Series latency = new Series();
        Series flushes = new Series();
        commitP50Nanos(volume, -1, COMMITS_TO_WARM_UP);
        bareP50Nanos(plain, data, -1);
        for (int round = 0; round < context.rounds(); round++) {
            double bare = bareP50Nanos(plain, data, round);
            StoreStatistics.Log before = store.statistics().log();
            double commit = commitP50Nanos(volume, round, COMMITS_PER_ROUND);
            StoreStatistics.Log after = store.statistics().log();
            context.say("commit: %.0f ns, bare write + fdatasync %.0f ns", commit, bare);
            latency.add(commit, bare);
            flushes.add(after.flushes() - before.flushes(), after.commits() - before.commits());
        }
        return List.of(
                latency.figure(
                        "commit",
                        "a durable commit of one page, p50",
                        "ns",
                        "4 KiB write + fdatasync, p50",
                        Figure.Aim.atMost(1.15)),
                flushes.figure("commit-flushes", "flushes", "", "commits", Figure.Aim.atMost(1)));
    }

    private static double bareP50Nanos(FileChannel plain, MemorySegment data, int round) throws IOException {
        Histogram histogram = new Histogram(3);
        for (int i = 0; i < COMMITS_PER_ROUND; i++) {
            long offset = Math.floorMod((long) round * COMMITS_PER_ROUND + i, (long) PAGES) * PAGE_BYTES;
            ByteBuffer page = data.asSlice(offset, PAGE_BYTES).asByteBuffer();
            long startNanos = System.nanoTime();
            plain.write(page, offset);
            plain.force(false);
            histogram.recordValue(System.nanoTime() - startNanos);
        }
        return histogram.getValueAtPercentile(50);
    }

    private static double commitP50Nanos(Volume volume, int round, int commits) {
        Histogram histogram = new Histogram(3);
        MemorySegment memory = volume.memory();
        SplittableRandom random = new SplittableRandom(round);
        for (int i = 0; i < commits; i++) {
            long offset = (long) random.nextInt(PAGES) * PAGE_BYTES;
            // Its first write fault is part of it.
            long startNanos = System.nanoTime();
            memory.set(ValueLayout.JAVA_LONG, offset, i);
            volume.commit();
            histogram.recordValue(System.nanoTime() - startNanos);
        }
        return histogram.getValueAtPercentile(50);
    }

    private static List<Figure> many(BenchContext context, Volume volume, ExecutorService executor)
            throws InterruptedException, ExecutionException {
        Series many = new Series();
        Series fewer = new Series();
        for (int round = -1; round < context.rounds(); round++) {
            double one = commitsPerSecond(volume, executor, 1, round);
            double byFewer = commitsPerSecond(volume, executor, FEWER_THREADS, round);
            double byMany = commitsPerSecond(volume, executor, THREADS, round);
            context.say("commit: %.0f a second by one thread, %.0f by %d, %.0f by %d",
                    one, byFewer, FEWER_THREADS, byMany, THREADS);
            if (round >= 0) {
                many.add(byMany, one);
                fewer.add(byFewer, one);
            }
        }
        return List.of(
                many.figure("commit-threads", "commits by 16 threads", "/s", "commits by one", Figure.Aim.atLeast(4)),
                fewer.figure("commit-threads-8", "commits by 8 threads", "/s", "commits by one", Figure.Aim.NONE));
    }

    private static double commitsPerSecond(Volume volume, ExecutorService executor, int threads, int round)
            throws InterruptedException, ExecutionException {
        long startNanos = System.nanoTime();
        List<Future<Long>> counts = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            SplittableRandom random = new SplittableRandom(thread * 1000L + round);
            counts.add(executor.submit(() -> commitFor(volume, random, startNanos + CONCURRENT_NANOS)));
        }
        long commits = 0;
        for (Future<Long> count : counts) {
            commits += count.get();
        }
        return commits * 1e9 / (System.nanoTime() - startNanos);
    }

    private static long commitFor(Volume volume, SplittableRandom random, long endNanos) {
        MemorySegment memory = volume.memory();
        long commits = 0;
        while (System.nanoTime() < endNanos) {
            try (Scope _ = volume.writeScope()) {
                memory.set(ValueLayout.JAVA_LONG, (long) random.nextInt(PAGES) * PAGE_BYTES, commits);
            }
            volume.commit();
            commits++;
        }
        return commits;
    }
}
