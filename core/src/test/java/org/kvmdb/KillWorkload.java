package org.kvmdb;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/**
 * What {@link KillTest} runs in children and kills. Thread t counts k = 1, 2, 3, …; step k writes, inside scopes of all
 * volumes, page k % RING of the thread's ring in each volume and then k to the thread's head page there, and commits.
 * What was issued and what was acknowledged goes to a mapped record file, which outlives the process. So after recovery
 * the heads say up to which k a thread's steps are there, and that says what every page of its rings must hold.
 */
final class KillWorkload {

    static final int THREADS = 3;
    static final int VOLUMES = 3;
    static final int RING = 37;
    private static final int PAGES_PER_THREAD = RING + 1;
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final Store store;
    private final List<Volume> volumes = new ArrayList<>();
    private final MemorySegment record;

    private KillWorkload(Store store, MemorySegment record) {
        this.store = store;
        this.record = record;
    }

    static StoreOptions options() {
        return TestStores.small().withCheckpointRecords(2000);
    }

    /** Arguments: store directory, record file, seed, steps (0: until killed). */
    public static void main(String[] arguments) throws Exception {
        System.out.println("started");
        try (Arena arena = Arena.ofShared()) {
            final KillWorkload workload = open(Path.of(arguments[0]), mapRecord(Path.of(arguments[1]), arena));
            workload.verifyAndGoOn();
            System.out.println("ready");
            workload.run(Long.parseLong(arguments[2]), Long.parseLong(arguments[3]));
            workload.store.close();
        }
    }

    /** Opens the store, checks it against the record, and closes it; returns the sum of all counters. */
    static long verify(Path directory, Path recordFile) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            final KillWorkload workload = open(directory, mapRecord(recordFile, arena));
            try (Store _ = workload.store) {
                return workload.verifyAndGoOn();
            }
        }
    }

    private static MemorySegment mapRecord(Path file, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, THREADS * 2 * Long.BYTES, arena);
        }
    }

    private static KillWorkload open(Path directory, MemorySegment record) {
        final boolean isNew = !Files.exists(TestStores.dataFile(directory));
        final KillWorkload workload = new KillWorkload(
                isNew ? Store.create(directory, options()) : Store.open(directory, options()), record);
        for (int v = 0; v < VOLUMES; v++) {
            final int pageSize = 4096 << v;
            final String name = "v" + v;
            final boolean isThere = workload.store.volumes().stream().anyMatch(x -> x.name().equals(name));
            workload.volumes.add(
                    isThere
                            ? workload.store.volume(name)
                            : workload.store.createVolume(
                                    name,
                                    VolumeOptions.ofSizeBytes((long) THREADS * PAGES_PER_THREAD * pageSize)
                                            .withPageSizeBytes(pageSize)));
        }
        return workload;
    }

    private long issued(int thread) {
        return (long) LONG.getVolatile(record, (long) thread * 2 * Long.BYTES);
    }

    private void issued(int thread, long k) {
        LONG.setVolatile(record, (long) thread * 2 * Long.BYTES, k);
    }

    private long acknowledged(int thread) {
        return (long) LONG.getVolatile(record, ((long) thread * 2 + 1) * Long.BYTES);
    }

    private void acknowledged(int thread, long k) {
        LONG.setVolatile(record, ((long) thread * 2 + 1) * Long.BYTES, k);
    }

    // ---- check ----

    private long verifyAndGoOn() {
        long sum = 0;
        for (int t = 0; t < THREADS; t++) {
            final long k = head(0, t);
            check(acknowledged(t) <= k && k <= issued(t), () -> "recovered " + k, t);
            for (int v = 0; v < VOLUMES; v++) {
                final long other = head(v, t);
                check(other == k, () -> "torn commit: " + k + " in the first volume, " + other, t);
                verifyRing(v, t, k);
            }
            acknowledged(t, k);
            issued(t, k);
            sum += k;
        }
        return sum;
    }

    private void check(boolean holds, Supplier<String> what, int thread) {
        if (!holds) {
            throw new AssertionError("thread %d: %s; acknowledged=%d issued=%d"
                    .formatted(thread, what.get(), acknowledged(thread), issued(thread)));
        }
    }

    private void verifyRing(int v, int thread, long k) {
        for (int slot = 0; slot < RING; slot++) {
            // The last step up to k that wrote the slot; 0 when there was none.
            final long last = k - Math.floorMod(k - slot, RING);
            final long lpn = firstLpn(thread) + 1 + slot;
            PageContent.check(TestStores.page(volumes.get(v), lpn), v, lpn, Math.max(last, 0));
        }
    }

    private static long firstLpn(int thread) {
        return (long) thread * PAGES_PER_THREAD;
    }

    private long head(int v, int thread) {
        return PageContent.version(TestStores.page(volumes.get(v), firstLpn(thread)), v, firstLpn(thread));
    }

    // ---- work ----

    private void run(long seed, long steps) throws InterruptedException {
        final List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            final int thread = t;
            final Thread worker = new Thread(() -> work(thread, new Random(seed * 31 + thread), steps));
            worker.setUncaughtExceptionHandler((w, e) -> {
                e.printStackTrace(System.out);
                Runtime.getRuntime().halt(3);
            });
            threads.add(worker);
            worker.start();
        }
        for (Thread worker : threads) {
            worker.join();
        }
    }

    private void work(int thread, Random random, long steps) {
        final long first = issued(thread) + 1;
        for (long k = first; steps == 0 || k < first + steps; k++) {
            issued(thread, k);
            write(thread, k);
            switch (random.nextInt(8)) {
                case 0 -> store.commitAsync();
                case 1 -> {
                    store.commitAsync();
                    store.sync();
                    acknowledged(thread, k);
                }
                default -> {
                    store.commit();
                    acknowledged(thread, k);
                }
            }
            if (random.nextInt(100) == 0) {
                store.checkpoint();
            }
        }
    }

    private void write(int thread, long k) {
        try (Scope _ = volumes.get(0).writeScope();
                Scope _ = volumes.get(1).writeScope();
                Scope _ = volumes.get(2).writeScope()) {
            for (int v = 0; v < VOLUMES; v++) {
                final long lpn = firstLpn(thread) + 1 + k % RING;
                PageContent.write(TestStores.page(volumes.get(v), lpn), v, lpn, k);
                PageContent.write(TestStores.page(volumes.get(v), firstLpn(thread)), v, firstLpn(thread), k);
            }
        }
    }
}
