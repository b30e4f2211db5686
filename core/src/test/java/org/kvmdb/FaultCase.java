package org.kvmdb;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.kvmdb.ffi.FaultPlan;
import org.kvmdb.ffi.FaultPlan.Rule;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.gc.StoreChecker;
import org.kvmdb.gc.StoreReport;

/**
 * One fault in the life of a store: a copy of the template is opened, the fault is armed, the script runs beside threads that
 * read; all is made well; then the store holds what was committed, closes, leaves nothing behind, and when it is opened
 * again, holds every commit that was acknowledged, and nothing in part.
 */
final class FaultCase {

    /** Of reads in a page fault that are to hang. */
    private static final long SHORT_DEADLINE_MILLIS = 40;

    private static final int READERS = 2;
    private static final int READER_PAUSE_NANOS = 100_000;

    private final Path template;
    private final FaultScript.State begin;
    private final Path directory;
    private final long seed;
    private final List<String> findings = Collections.synchronizedList(new ArrayList<>());
    private final AtomicLong readsServed = new AtomicLong();
    private long seen;
    private long hits;

    /** @param directory of the copy; it is made, and deleted again */
    FaultCase(Path template, FaultScript.State begin, Path directory, long seed) {
        this.template = template;
        this.begin = begin;
        this.directory = directory;
        this.seed = seed;
    }

    static StoreOptions options() {
        return TestStores.small().withControlSocket(false);
    }

    /** What was wrong. */
    List<String> findings() {
        return List.copyOf(findings);
    }

    /** Operations that the fault could have hit. */
    long seen() {
        return seen;
    }

    long hits() {
        return hits;
    }

    /** Reads of other threads that were right while the plan was armed. */
    long readsServed() {
        return readsServed.get();
    }

    // ---- a fault while the store is in use ----

    /** @param index of the operation that goes wrong; negative: none, they are counted */
    void runInUse(FaultKind kind, long index, boolean persistent) {
        final Path data = copyTemplate();
        final Leaks leaks = Leaks.now();
        final Store store = OpenStore.open(
                directory,
                options(),
                kind.keepsSlots() ? SHORT_DEADLINE_MILLIS : OpenStore.READ_DEADLINE_MILLIS);
        final FaultScript script = new FaultScript(store, begin, seed, findings::add);
        try (FaultPlan plan = arm(index < 0 ? kind.counting(data) : kind.rules(data, index, persistent))) {
            try (Readers _ = new Readers(store)) {
                script.run();
            }
            seen = plan.seen(0);
            hits = plan.hits(0);
        }
        if ((hits == 0 || kind.mustBeInvisible()) && script.failedSteps() > 0) {
            findings.add("%d steps failed, though nobody should have noticed".formatted(script.failedSteps()));
        }
        if ((hits == 0 || kind.isOfReads()) && script.isFailed()) {
            findings.add("the store has failed, though nothing but reads went wrong");
        }
        script.checkHealed();
        close(store);
        if (index >= 0 && !kind.mayKeepMemory()) { // the first time there are things that are kept to be used again
            leaks.check(findings);
        }
        reopenAndCheck(script.possible());
        delete();
    }

    private static FaultPlan arm(List<Rule> rules) {
        return FaultPlan.arm(rules.toArray(Rule[]::new));
    }

    private Path copyTemplate() {
        try {
            Files.createDirectories(directory);
            return Files.copy(TestStores.dataFile(template), TestStores.dataFile(directory));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void delete() {
        try {
            TestStores.deleteTree(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing goes wrong any more, so only a store that failed may have something to say. */
    private void close(Store store) {
        try {
            store.close();
        } catch (StoreFailedException e) {
            // It had said so before.
        } catch (StoreException e) {
            findings.add("close threw " + e);
        }
    }

    private void reopenAndCheck(List<FaultScript.State> possible) {
        final StoreReport report = StoreChecker.check(TestStores.dataFile(directory), (_, _) -> {});
        if (!report.isClean()) {
            findings.add("the check finds defects: " + report.defects());
        }
        try (FaultPlan _ = arm(List.of(Rule.of(FaultPlan.Effect.SKIP, 0, FaultPlan.Operation.FLUSH)));
                Store store = Store.open(directory, options())) {
            final String difference = FaultScript.difference(store, possible);
            if (difference != null) {
                findings.add("opened again (of %d possible states): %s".formatted(possible.size(), difference));
            }
        } catch (StoreException | InternalError e) {
            findings.add("cannot be opened again: " + e);
        }
    }

    /** Threads that read what nobody changes, right or with an exception. */
    private final class Readers implements AutoCloseable {

        private final AtomicBoolean stopped = new AtomicBoolean();
        private final List<Thread> threads = new ArrayList<>();

        Readers(Store store) {
            for (int i = 0; i < READERS; i++) {
                final Random random = new Random(seed * READERS + i);
                threads.add(Thread.ofPlatform().start(() -> readUntilStopped(store.volume("archive"), random)));
            }
        }

        private void readUntilStopped(Volume volume, Random random) {
            final FaultScript.Shape shape = FaultScript.SHAPES.get("archive");
            while (!stopped.get()) {
                try {
                    readOne(volume, shape, random.nextInt(shape.pages()));
                    LockSupport.parkNanos(READER_PAUSE_NANOS);
                } catch (StoreException | InternalError e) {
                    Thread.yield();
                } catch (RuntimeException | Error e) {
                    findings.add("a reader met " + e);
                    return;
                }
            }
        }

        private void readOne(Volume volume, FaultScript.Shape shape, int lpn) {
            String wrong = null;
            try (Scope _ = volume.readScope()) {
                PageContent.check(TestStores.page(volume, lpn), shape.id(), lpn, 1);
            } catch (AssertionError e) {
                wrong = e.getMessage();
            }
            if (wrong != null) {
                findings.add("a reader read a wrong byte: " + wrong);
            }
            readsServed.incrementAndGet();
        }

        @Override
        public void close() {
            stopped.set(true);
            threads.forEach(thread -> {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
    }

    // ---- a fault while a store is created or opened ----

    /** Creating or opening fails with a typed exception and leaves nothing behind, or it works; the next try does. */
    void runOpening(FaultKind kind, long index, boolean persistent, boolean creates) {
        final Path data = TestStores.dataFile(directory);
        if (!creates) {
            copyTemplate();
        }
        final Leaks leaks = Leaks.now();
        try (FaultPlan plan = arm(index < 0 ? kind.counting(data) : kind.rules(data, index, persistent))) {
            tryOpening(kind, creates, plan);
            seen = plan.seen(0);
            hits = plan.hits(0);
        }
        if (index >= 0) {
            leaks.check(findings);
        }
        if (creates) {
            createAgain();
        } else {
            reopenAndCheck(List.of(begin));
        }
        delete();
    }

    private void tryOpening(FaultKind kind, boolean creates, FaultPlan plan) {
        try (Store store = creates ? Store.create(directory, options()) : Store.open(directory, options())) {
            if (creates) {
                store.createVolume("archive", VolumeOptions.ofSizeBytes(1 << 20));
                store.volume("archive").memory();
                store.rollback();
            } else {
                final String difference = FaultScript.difference(store, List.of(begin));
                if (difference != null) {
                    findings.add("a wrong byte: " + difference);
                }
            }
        } catch (StoreException | InternalError e) {
            if (plan.hits(0) == 0 || kind.mustBeInvisible()) {
                findings.add("nobody should have noticed: " + e);
            }
        } catch (RuntimeException | Error e) {
            findings.add("threw " + e + List.of(e.getStackTrace()));
        }
    }

    private void createAgain() {
        try (Store store = Files.exists(TestStores.dataFile(directory))
                ? openOrReplace()
                : Store.create(directory, options())) {
            store.commit();
        } catch (StoreException e) {
            findings.add("cannot be created again: " + e);
        }
    }

    /** What is there after a failed creation is a whole store, or stands in the way of none. */
    private Store openOrReplace() {
        return Store.open(directory, options());
    }

    // ---- what is left behind ----

    /** What a store holds of the process. */
    private record Leaks(long descriptors, long memoryBytes, long threads) {

        static Leaks now() {
            try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
                return new Leaks(fds.count(), NativeMemory.reservedBytes(), threadsOfStores());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static long threadsOfStores() {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("kvmdb"))
                    .count();
        }

        /** A pool that has ended counts its threads as gone a moment before they are. */
        private Leaks whenThreadsEnded() {
            final long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
            while (threadsOfStores() > threads && System.nanoTime() < deadlineNanos) {
                LockSupport.parkNanos(1_000_000);
            }
            return now();
        }

        void check(List<String> findings) {
            final Leaks after = whenThreadsEnded();
            if (after.descriptors > descriptors || after.threads > threads || after.memoryBytes > memoryBytes) {
                findings.add("left behind: before %s, after %s".formatted(this, after));
            }
        }
    }
}
