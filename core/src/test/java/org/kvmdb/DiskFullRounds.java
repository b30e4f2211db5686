package org.kvmdb;

import java.nio.file.Path;
import java.util.List;

/**
 * Fills the disk to the last page and makes room again, over and over: what was committed stays readable while it is full,
 * deleting, shrinking, checkpoints and cleaning work, and then commits do.
 */
final class DiskFullRounds {

    private static final int KEPT_PAGES = 50;
    private static final int PAGES = 16384;
    private static final int PAGES_PER_COMMIT = 10;
    private static final int KEPT = 1;
    private static final int FILLER = 2;

    private final Path directory;
    private long committedPages;
    private int keptVersion;

    private DiskFullRounds(Path directory) {
        this.directory = directory;
    }

    /** An answer: how many rounds, and how many pages went in at all. */
    static String run(Path directory, int rounds) {
        final DiskFullRounds filling = new DiskFullRounds(directory);
        filling.create();
        for (int round = 0; round < rounds; round++) {
            filling.round(round);
        }
        return "filled %d times, %d pages".formatted(rounds, filling.committedPages);
    }

    private static StoreOptions options() {
        return TestStores.small().withMaxSizeBytes(4L << 30);
    }

    private void create() {
        try (Store store = Store.create(directory, options())) {
            final Volume kept = makeVolume(store, "kept", KEPT_PAGES);
            writeKept(store, kept);
        }
    }

    private static Volume makeVolume(Store store, String name, int pages) {
        return store.createVolume(name, VolumeOptions.ofSizeBytes((long) pages * TestStores.PAGE));
    }

    private void writeKept(Store store, Volume kept) {
        keptVersion++;
        TestStores.writePages(kept, KEPT, 0, KEPT_PAGES, keptVersion);
        store.commit();
    }

    private void round(int round) {
        final int committed;
        try (Store store = Store.open(directory, options())) {
            committed = fill(store, makeVolume(store, "filler", PAGES));
            store.rollback();
            check(store, committed);
            if (round % 2 == 0) {
                makeRoom(store, round);
                writeKept(store, store.volume("kept"));
                TestStores.checkPages(store.volume("kept"), KEPT, 0, KEPT_PAGES, keptVersion);
            }
        }
        try (Store store = Store.open(directory, options())) {
            if (round % 2 != 0) {
                check(store, committed);
                makeRoom(store, round);
                writeKept(store, store.volume("kept"));
            }
            TestStores.checkPages(store.volume("kept"), KEPT, 0, KEPT_PAGES, keptVersion);
        }
        committedPages += committed;
    }

    /** Returns how many pages went in before there was no room. */
    private static int fill(Store store, Volume filler) {
        int committed = 0;
        try {
            while (committed + PAGES_PER_COMMIT <= PAGES) {
                try (Scope _ = filler.writeScope()) {
                    for (int i = 0; i < PAGES_PER_COMMIT; i++) {
                        writeQuietly(filler, committed + i);
                    }
                }
                store.commit();
                committed += PAGES_PER_COMMIT;
            }
        } catch (StoreFullException e) {
            if (committed == 0) {
                throw new AssertionError("nothing went in", e);
            }
            return committed;
        }
        throw new AssertionError("%d pages went in, and the disk was not full".formatted(committed));
    }

    /** A write that finds no room raises an error in Java code; what counts is what the scope says. */
    private static void writeQuietly(Volume volume, int lpn) {
        try {
            PageContent.write(TestStores.page(volume, lpn), FILLER, lpn, 1);
        } catch (InternalError e) {
            if (volume.badPageCount() == 0) {
                throw e;
            }
        }
    }

    private void check(Store store, int committed) {
        TestStores.checkPages(store.volume("kept"), KEPT, 0, KEPT_PAGES, keptVersion);
        final Volume filler = store.volume("filler");
        TestStores.checkPages(filler, FILLER, 0, committed, 1);
        TestStores.checkPages(filler, FILLER, committed, Math.min(PAGES, committed + 2L * PAGES_PER_COMMIT), 0);
    }

    /** A snapshot needs room for its entry in every checkpoint, which may not be left: then it is refused, and nothing has changed. */
    private static void snapshotAndDelete(Store store) {
        try {
            store.snapshotCommitted("full", List.of(store.volume("filler"))).getFirst().delete();
        } catch (StoreFullException e) {
            if (!store.volume("filler").snapshots().isEmpty()) {
                throw new AssertionError("a snapshot that was refused is there", e);
            }
        }
    }

    /** In turns: delete; shrink, then delete; a snapshot of it, both deleted; with checkpoint or with cleaning. */
    private static void makeRoom(Store store, int round) {
        switch (round % 3) {
            case 0 -> store.deleteVolume("filler");
            case 1 -> {
                store.volume("filler").resize(TestStores.PAGE);
                store.checkpoint();
                store.deleteVolume("filler");
            }
            default -> {
                snapshotAndDelete(store);
                store.deleteVolume("filler");
            }
        }
        if (round % 4 < 2) {
            store.checkpoint();
        } else {
            store.clean(0.1, (dead, target) -> true);
        }
    }
}
