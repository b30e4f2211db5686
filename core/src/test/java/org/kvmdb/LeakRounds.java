package org.kvmdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Opens and closes stores over and over: with volumes and snapshots mapped, pages faulted in, dirty ones left behind, the
 * control socket on, and some opens that fail. Afterwards the process holds what it held after the first ones.
 */
final class LeakRounds {

    /** The code that the virtual machine compiles and the arenas of its threads grow for long, and then no more. */
    private static final int WARM_UP_CYCLES_MAX = 500;

    private static final int PAGES = 64;
    private static final int SNAPSHOT_EVERY = 3;
    private static final int FAIL_EVERY = 2;

    /** A descriptor, a thread or a range of a cycle shows long before. */
    private static final long MAPPINGS_SLACK = 24;

    private static final long ANONYMOUS_SLACK_BYTES = 16L << 20;

    private final Path root;
    private final Path directory;

    private LeakRounds(Path root) {
        this.root = root;
        this.directory = root.resolve("store");
    }

    /** An answer: how many cycles, and by how much memory grew. */
    static String run(Path root, int cycles) throws IOException {
        final LeakRounds rounds = new LeakRounds(root);
        rounds.prepare();
        final int warmUp = Math.min(cycles / 2, WARM_UP_CYCLES_MAX);
        rounds.cycles(0, warmUp);
        final List<Path> files = rounds.files();
        final ProcessState before = settledState();
        rounds.cycles(warmUp, cycles);
        final ProcessState after = settledState();
        final String leaked = after.leakedSince(before, MAPPINGS_SLACK, ANONYMOUS_SLACK_BYTES);
        if (!leaked.isEmpty()) {
            return LimitedStore.WRONG + " after %d cycles: %s".formatted(cycles, leaked);
        }
        if (!rounds.files().equals(files)) {
            return LimitedStore.WRONG + " files: %s where there were %s".formatted(rounds.files(), files);
        }
        return "cycles=%d descriptors=%d mappings=%+d memoryKiB=%+d".formatted(
                cycles, after.descriptors().size(), after.mappings() - before.mappings(),
                after.anonymousBytes() - before.anonymousBytes() >> 10);
    }

    /** Memory that is given back when its Java object is collected counts when that has happened. */
    private static ProcessState settledState() throws IOException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
        return ProcessState.now();
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            return all.sorted().toList();
        }
    }

    private void prepare() throws IOException {
        try (Store store = Store.create(directory, TestStores.small())) {
            for (String name : List.of("a", "b")) {
                final Volume volume = store.createVolume(name, VolumeOptions.ofSizeBytes(PAGES * TestStores.PAGE));
                TestStores.writePages(volume, 1, 0, PAGES, 1);
            }
            store.commit();
        }
        final Path garbage = root.resolve("garbage");
        Files.createDirectory(garbage);
        Files.write(TestStores.dataFile(garbage), new byte[1 << 20]);
    }

    private void cycles(int from, int to) {
        for (int cycle = from; cycle < to; cycle++) {
            cycle(cycle);
        }
    }

    private void cycle(int cycle) {
        final StoreOptions options = TestStores.small().withControlSocket(cycle % 4 != 3);
        try (Store store = Store.open(directory, options)) {
            final Volume a = store.volume("a");
            final Volume b = store.volume("b");
            TestStores.checkPages(a, 1, 0, PAGES, 1);
            TestStores.writePages(b, 1, cycle % PAGES, cycle % PAGES + 1, 1);
            b.prefetch(0, b.sizeBytes());
            if (cycle % SNAPSHOT_EVERY == 0) {
                final Snapshot snapshot = b.snapshot("s");
                TestStores.checkPages(snapshot, 1, 0, PAGES, 1);
                snapshot.release();
                snapshot.delete();
            } else {
                store.commit();
            }
            TestStores.writePages(a, 1, 0, 3, 2); // never committed
            if (cycle % FAIL_EVERY == 0) {
                expectFailures();
            }
        }
    }

    private void expectFailures() {
        expect(StoreInUseException.class, directory, false);
        expect(StoreExistsException.class, directory, true);
        expect(WrongMagicException.class, root.resolve("garbage"), false);
        expect(NotAStoreException.class, root.resolve("nothing"), false);
    }

    private static void expect(Class<? extends StoreException> type, Path path, boolean creates) {
        try {
            (creates ? Store.create(path, TestStores.small()) : Store.open(path, TestStores.small())).close();
        } catch (StoreException e) {
            if (type.isInstance(e)) {
                return;
            }
            throw e;
        }
        throw new AssertionError("it opened: " + path);
    }
}
