package org.kvmdb;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What is done to a store while something goes wrong beneath it, beside a model of what it must hold: the version of each page
 * of each volume and snapshot. Each step may fail with a typed exception; then its writes are rolled back and the next one
 * begins. Whatever else comes out is reported. Used by one thread.
 */
final class FaultScript {

    /** A volume of the script. Clones have the id of what they were made of: it stands in the pages. */
    record Shape(int id, int pages, int pageSizeBytes) {}

    static final Map<String, Shape> SHAPES = new TreeMap<>(Map.of(
            "archive", new Shape(1, 512, 4096), "wide", new Shape(2, 64, 16384), "work", new Shape(3, 700, 4096)));

    private static final String CLONE = "copy";
    private static final String OLD_SNAPSHOT = "work@old";

    /** Versions of pages, by the name of the volume or the full name of the snapshot. Arrays are never changed. */
    record State(Map<String, int[]> volumes, Map<String, int[]> snapshots) {

        State copy() {
            return new State(new TreeMap<>(volumes), new TreeMap<>(snapshots));
        }
    }

    private interface Action {
        void run() throws IOException;
    }

    private record Step(String name, Action action) {}

    private final Store store;
    private final Random random;
    private final Consumer<String> findings;
    private final List<Step> steps = List.of(
            new Step("read the archive", () -> readSome("archive", 300)),
            new Step("read", this::readAnything),
            new Step("commit a few pages", () -> writeAndCommit(60)),
            new Step("a transaction beyond the cache", this::writeMuch),
            new Step("take a snapshot", this::takeSnapshot),
            new Step("read snapshots", this::readSnapshots),
            new Step("write and roll back", this::writeAndRollBack),
            new Step("go back to a snapshot", this::goBack),
            new Step("write behind a snapshot", () -> writeAndCommit(200)),
            new Step("clone", this::makeClone),
            new Step("send", this::send),
            new Step("delete a snapshot", this::deleteSnapshot),
            new Step("clean", this::clean),
            new Step("scrub", this::scrub),
            new Step("commit after that", () -> writeAndCommit(40)),
            new Step("read after that", this::readAnything));

    private State committed;
    private TreeMap<String, int[]> current;

    /** What a step that failed together with the store may have made of it; null when that cannot be. */
    private State inDoubt;

    private String step = "";
    private int nextVersion = 10;
    private int failedSteps;
    private boolean storeFailed;

    /** The step may be done and durable although it throws: the kernel kept pages in memory that were to go. */
    private boolean staysInDoubt;

    private boolean isDirty;

    FaultScript(Store store, State begin, long seed, Consumer<String> findings) {
        this.store = store;
        this.committed = begin;
        this.random = new Random(seed);
        this.findings = findings;
        this.current = copyOf(begin.volumes);
    }

    private static TreeMap<String, int[]> copyOf(Map<String, int[]> contents) {
        final TreeMap<String, int[]> copy = new TreeMap<>();
        contents.forEach((name, versions) -> copy.put(name, versions.clone()));
        return copy;
    }

    // ---- the store to begin with ----

    /** Fills a new store, and says what it holds. */
    static State populate(Store store) {
        final TreeMap<String, int[]> volumes = new TreeMap<>();
        SHAPES.forEach((name, shape) -> {
            final Volume volume = store.createVolume(
                    name,
                    VolumeOptions.ofSizeBytes((long) shape.pages * shape.pageSizeBytes)
                            .withPageSizeBytes(shape.pageSizeBytes));
            TestStores.writePages(volume, shape.id, 0, shape.pages, 1);
            final int[] versions = new int[shape.pages];
            Arrays.fill(versions, 1);
            volumes.put(name, versions);
            store.commit();
        });
        store.volume("work").snapshot("old");
        final TreeMap<String, int[]> snapshots = new TreeMap<>(Map.of(OLD_SNAPSHOT, volumes.get("work").clone()));
        for (int lpn = 0; lpn < SHAPES.get("work").pages; lpn += 3) {
            TestStores.writePages(store.volume("work"), SHAPES.get("work").id, lpn, lpn + 1, 2);
            volumes.get("work")[lpn] = 2;
        }
        store.commit();
        return new State(volumes, snapshots);
    }

    // ---- running ----

    /** Every step, until the store has failed or cannot even roll back. */
    void run() {
        for (Step next : steps) {
            step = next.name;
            if (!attempt(next)) {
                return;
            }
        }
    }

    /** Whether the script may go on. */
    private boolean attempt(Step next) {
        final long badBefore = badPages();
        staysInDoubt = false;
        try {
            next.action.run();
            inDoubt = null;
            return true;
        } catch (StoreFailedException e) {
            storeFailed = true;
        } catch (StoreIoException e) {
            if (staysInDoubt) {
                failedSteps++;
                return false;
            }
            inDoubt = null;
        } catch (StoreException | InternalError e) {
            inDoubt = null;
        } catch (IOException | RuntimeException | Error e) {
            findings.accept("step '%s' threw %s".formatted(step, describe(e)));
            inDoubt = null;
        }
        failedSteps++;
        return !storeFailed && settle(badBefore);
    }

    private static String describe(Throwable e) {
        final StackTraceElement[] trace = e.getStackTrace();
        return e + Arrays.stream(trace).limit(12).map(at -> "\n    at " + at).reduce("", String::concat);
    }

    private long badPages() {
        while (true) {
            try {
                return store.volumes().stream().filter(Volume::isMapped).mapToLong(Volume::badPageCount).sum();
            } catch (InternalError e) {
                // Of an access that was compiled: it comes when it comes.
            }
        }
    }

    /** After a failure: nothing that followed a bad page may be committed; then everything is as it was committed. */
    private boolean settle(long badBefore) {
        try {
            if (badPages() > badBefore) {
                mustRefuseToCommit();
            }
            return !storeFailed && rollBack();
        } catch (InternalError e) {
            return rollBack();
        }
    }

    private void mustRefuseToCommit() {
        inDoubt = allCommitted();
        try {
            store.commit();
            findings.accept("after a bad page in step '%s' a commit went through".formatted(step));
        } catch (StoreFailedException e) {
            storeFailed = true;
            return;
        } catch (StoreException e) {
            // As it must.
        }
        inDoubt = null;
    }

    private boolean rollBack() {
        try {
            store.rollback();
            current = copyOf(committed.volumes);
            isDirty = false;
            return true;
        } catch (StoreException e) {
            isDirty = true;
            return false;
        }
    }

    /** When nothing goes wrong any more: unless the store has failed, it holds what was committed. */
    void checkHealed() {
        step = "read when all is well again";
        if (isFailed()) {
            return;
        }
        if (!rollBack() || isDirty) {
            findings.accept("rolling back fails when all is well again");
            return;
        }
        try {
            final String difference = difference(store, possible());
            if (difference != null) {
                findings.accept("when all is well again: " + difference);
            }
        } catch (StoreException | InternalError e) {
            findings.accept("reading fails when all is well again: " + describe(e));
        }
    }

    /** Whether the store says that it has failed. */
    boolean isFailed() {
        try {
            store.sync();
            return storeFailed;
        } catch (StoreFailedException e) {
            return true;
        }
    }

    int failedSteps() {
        return failedSteps;
    }

    /** What the store may hold when it is opened again. */
    List<State> possible() {
        return inDoubt == null ? List.of(committed) : List.of(committed, inDoubt);
    }

    // ---- comparing ----

    /** Where a store differs from all of these states, or null. */
    static String difference(Store store, List<State> states) {
        String difference = null;
        for (State state : states) {
            difference = difference(store, state);
            if (difference == null) {
                return null;
            }
        }
        return difference;
    }

    private static String difference(Store store, State state) {
        final List<String> volumes = store.volumes().stream().map(Volume::name).toList();
        final List<String> snapshots = store.snapshots().stream().map(Snapshot::fullName).sorted().toList();
        if (!volumes.equals(List.copyOf(state.volumes.keySet()))
                || !snapshots.equals(List.copyOf(state.snapshots.keySet()))) {
            return "volumes %s and snapshots %s, not %s and %s"
                    .formatted(volumes, snapshots, state.volumes.keySet(), state.snapshots.keySet());
        }
        try {
            state.volumes.forEach((name, versions) -> check(store.volume(name).memory(), name, versions));
            state.snapshots.forEach((name, versions) -> check(store.snapshotNamed(name).memory(), name, versions));
            return null;
        } catch (AssertionError e) {
            return e.getMessage();
        }
    }

    private static Shape shapeOf(String name) {
        final String volume = name.replaceFirst("@.*", "");
        return SHAPES.get(volume.equals(CLONE) ? "work" : volume);
    }

    private static void check(MemorySegment memory, String name, int[] versions) {
        final Shape shape = shapeOf(name);
        for (int lpn = 0; lpn < versions.length; lpn++) {
            PageContent.check(TestStores.page(memory, lpn, shape.pageSizeBytes), shape.id, lpn, versions[lpn]);
        }
    }

    /** A page within a read scope: right, or the scope says that it is not. */
    private void read(MemorySegment memory, Scope scope, String name, int lpn, int version) {
        String wrong = null;
        try (scope) {
            check(memory, name, lpn, version);
        } catch (AssertionError e) {
            wrong = e.getMessage();
        }
        if (wrong != null) {
            findings.accept("step '%s' read a wrong byte: %s".formatted(step, wrong));
        }
    }

    private static void check(MemorySegment memory, String name, int lpn, int version) {
        final Shape shape = shapeOf(name);
        PageContent.check(TestStores.page(memory, lpn, shape.pageSizeBytes), shape.id, lpn, version);
    }

    private void readSome(String name, int count) {
        final Volume volume = store.volume(name);
        final int[] versions = current.get(name);
        for (int i = 0; i < count; i++) {
            final int lpn = random.nextInt(versions.length);
            read(volume.memory(), volume.readScope(), name, lpn, versions[lpn]);
        }
    }

    private void readAnything() {
        readSome("work", 150);
        readSome("wide", 40);
        readSome("archive", 50);
    }

    // ---- writing ----

    private void write(String name, int count) {
        final Volume volume = store.volume(name);
        final Shape shape = shapeOf(name);
        final int version = nextVersion++;
        for (int i = 0; i < count; i++) {
            final int lpn = random.nextInt(shape.pages);
            PageContent.write(TestStores.page(volume, lpn), shape.id, lpn, version);
            current.get(name)[lpn] = version;
        }
    }

    private State allCommitted() {
        return new State(copyOf(current), committed.copy().snapshots);
    }

    /** What is there after the action when it succeeds, and may be when the store fails in it. */
    private void change(State after, Runnable action) {
        inDoubt = after;
        action.run();
        inDoubt = null;
        committed = after;
    }

    private void changeInDoubt(State after, Runnable action) {
        staysInDoubt = true;
        change(after, action);
        staysInDoubt = false;
    }

    private void writeAndCommit(int count) {
        write("work", count);
        write("wide", count / 10);
        change(allCommitted(), store::commit);
    }

    /** More than the cache can hold: pages are stolen and spilled, come back, and are written again. */
    private void writeMuch() {
        for (int round = 0; round < 2; round++) {
            write("work", 700);
            write("wide", 100);
            readSome("work", 100);
            readSome("wide", 20);
        }
        change(allCommitted(), store::commit);
    }

    private void writeAndRollBack() {
        write("work", 300);
        store.rollback();
        current = copyOf(committed.volumes);
        readSome("work", 100);
    }

    // ---- snapshots and the rest ----

    private void takeSnapshot() {
        write("work", 50);
        final State after = committed.copy();
        after.volumes.put("work", current.get("work").clone());
        after.snapshots.put("work@new", current.get("work").clone());
        change(after, () -> store.volume("work").snapshot("new"));
    }

    private void readSnapshots() {
        for (Map.Entry<String, int[]> entry : committed.snapshots.entrySet()) {
            final Snapshot snapshot = store.snapshotNamed(entry.getKey());
            for (int i = 0; i < 100; i++) {
                final int lpn = random.nextInt(entry.getValue().length);
                read(snapshot.memory(), snapshot.readScope(), entry.getKey(), lpn, entry.getValue()[lpn]);
            }
        }
    }

    private void goBack() {
        write("work", 20);
        final State after = committed.copy();
        after.volumes.put("work", after.snapshots.get(OLD_SNAPSHOT).clone());
        changeInDoubt(after, () -> store.volume("work").rollbackTo(store.snapshotNamed(OLD_SNAPSHOT)));
        current.put("work", after.volumes.get("work").clone());
        readSome("work", 100);
    }

    private void makeClone() {
        final State after = committed.copy();
        after.volumes.put(CLONE, after.snapshots.get(OLD_SNAPSHOT));
        change(after, () -> store.snapshotNamed(OLD_SNAPSHOT).cloneAs(CLONE));
        current.put(CLONE, after.volumes.get(CLONE).clone());
        readSome(CLONE, 50);
    }

    private void send() throws IOException {
        store.snapshotNamed(OLD_SNAPSHOT).send(OutputStream.nullOutputStream());
    }

    private void deleteSnapshot() {
        if (!committed.snapshots.containsKey("work@new")) {
            return;
        }
        final Snapshot snapshot = store.snapshotNamed("work@new");
        snapshot.release();
        final State after = committed.copy();
        after.snapshots.remove("work@new");
        change(after, snapshot::delete);
    }

    private void clean() {
        store.checkpoint();
        store.clean(0.2, (_, _) -> true);
    }

    private void scrub() {
        store.scrub(ScrubOptions.defaults().withRestart(true), (_, _) -> true);
    }
}
