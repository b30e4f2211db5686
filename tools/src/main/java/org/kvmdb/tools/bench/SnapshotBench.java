package org.kvmdb.tools.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * Snapshots and clones of a volume that is full, beside those of one that is empty and beside a commit; then 10,000 snapshots with
 * ten pages changed at random between each: commits at their end beside those at their beginning, opening, and deleting all of
 * them in random order.
 */
final class SnapshotBench implements Bench {

    private static final long GIB = 1L << 30;
    private static final int PAGE_BYTES = 4096;
    private static final int SNAPSHOTS = 10_000;
    private static final int CHANGES = 10;
    private static final int SAMPLE = 1000;
    private static final int TAKEN_PER_ROUND = 100;
    private static final int DATA_BYTES = 64 << 20;
    private static final int PAGES_PER_COMMIT = 1 << 14;

    private final SplittableRandom random = new SplittableRandom(1);
    private final List<Figure> figures = new ArrayList<>();

    @Override
    public List<Figure> run(BenchContext context) throws IOException {
        Path directory = context.directory().resolve("snapshots");
        try (Store store = Store.create(directory, StoreOptions.defaults())) {
            Volume full = fill(context, store);
            Volume empty = store.createVolume("empty", VolumeOptions.ofSizeBytes(full.sizeBytes()));
            compare(context, store, full, empty);
            many(context, store, full);
        }
        open(context, directory);
        try (Store store = Store.open(directory, StoreOptions.defaults())) {
            deleteAll(context, store);
        }
        return figures;
    }

    private static Volume fill(BenchContext context, Store store) throws IOException {
        Volume volume = store.createVolume("full", VolumeOptions.ofSizeBytes(context.gib() * GIB));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = context.data(arena, DATA_BYTES);
            for (long at = 0; at < volume.sizeBytes(); at += PAGES_PER_COMMIT * (long) PAGE_BYTES) {
                volume.write(at, data.asSlice(at % DATA_BYTES, PAGES_PER_COMMIT * (long) PAGE_BYTES));
                volume.commit();
            }
        }
        store.checkpoint();
        context.say("snapshot: %d GiB written", context.gib());
        return volume;
    }

    private void compare(BenchContext context, Store store, Volume full, Volume empty) {
        Series snapshots = new Series();
        Series clones = new Series();
        Series commits = new Series();
        for (int round = 0; round < context.rounds(); round++) {
            double ofFull = snapshotNanos(store, full, round);
            double ofEmpty = snapshotNanos(store, empty, round);
            double cloneOfFull = cloneNanos(store, full, round);
            double cloneOfEmpty = cloneNanos(store, empty, round);
            double commit = commitNanos(full, TAKEN_PER_ROUND);
            context.say("snapshot: %.1f us full, %.1f us empty; clone %.1f, %.1f; commit of a page %.1f", ofFull / 1e3,
                    ofEmpty / 1e3, cloneOfFull / 1e3, cloneOfEmpty / 1e3, commit / 1e3);
            snapshots.add(ofFull / 1e3, ofEmpty / 1e3);
            clones.add(cloneOfFull / 1e3, cloneOfEmpty / 1e3);
            commits.add(ofFull / 1e3, (commit + 100_000) / 1e3);
        }
        figures.add(snapshots.figure(
                "snapshot", "snapshot of a volume of %d GiB, p50".formatted(context.gib()), "us", "of an empty volume",
                Figure.Aim.atMost(1.2)));
        figures.add(clones.figure(
                "clone", "clone of a volume of %d GiB, p50".formatted(context.gib()), "us", "of an empty volume",
                Figure.Aim.atMost(1.2)));
        figures.add(commits.figure(
                "snapshot-commit", "snapshot of a volume of %d GiB, p50".formatted(context.gib()), "us",
                "a commit of a page and 100 us", Figure.Aim.atMost(1)));
    }

    private static double snapshotNanos(Store store, Volume volume, int round) {
        long[] nanos = new long[TAKEN_PER_ROUND];
        List<Snapshot> taken = new ArrayList<>();
        for (int i = 0; i < nanos.length; i++) {
            long begin = System.nanoTime();
            taken.add(volume.snapshotCommitted("r%d-%d".formatted(round, i)));
            nanos[i] = System.nanoTime() - begin;
        }
        store.deleteSnapshots(taken);
        return median(nanos);
    }

    private static double cloneNanos(Store store, Volume volume, int round) {
        Snapshot origin = volume.snapshotCommitted("origin" + round);
        long[] nanos = new long[TAKEN_PER_ROUND];
        List<String> names = new ArrayList<>();
        for (int i = 0; i < nanos.length; i++) {
            String name = "%s-%d-%d".formatted(volume.name(), round, i);
            long begin = System.nanoTime();
            origin.cloneAs(name);
            nanos[i] = System.nanoTime() - begin;
            names.add(name);
        }
        names.forEach(store::deleteVolume);
        origin.delete();
        return median(nanos);
    }

    /** Median of commits of one page each. */
    private double commitNanos(Volume volume, int count) {
        long[] nanos = new long[count];
        for (int i = 0; i < count; i++) {
            change(volume);
            long begin = System.nanoTime();
            volume.commit();
            nanos[i] = System.nanoTime() - begin;
        }
        return median(nanos);
    }

    private void change(Volume volume) {
        long page = random.nextLong(volume.sizeBytes() / PAGE_BYTES);
        volume.memory().set(ValueLayout.JAVA_LONG, page * PAGE_BYTES, random.nextLong());
    }

    private void many(BenchContext context, Store store, Volume volume) {
        List<Double> medians = new ArrayList<>();
        long[] nanos = new long[SAMPLE];
        for (int i = 0; i < SNAPSHOTS; i++) {
            for (int change = 0; change < CHANGES; change++) {
                change(volume);
            }
            long begin = System.nanoTime();
            volume.commit();
            nanos[i % SAMPLE] = System.nanoTime() - begin;
            volume.snapshotCommitted("s" + i);
            if (i % SAMPLE == SAMPLE - 1) {
                medians.add(median(nanos));
                context.say("snapshot: %d taken, commit of %d pages %.1f us", i + 1, CHANGES, medians.getLast() / 1e3);
            }
        }
        figures.add(new Figure(
                "snapshot-many", "commit of %d pages among %d snapshots, p50".formatted(CHANGES, SNAPSHOTS),
                medians.getLast() / 1e3, "us", "among the first %d".formatted(SAMPLE), medians.getFirst() / 1e3,
                medians.getLast() / medians.getFirst(), Figure.Aim.atMost(1.25)));
    }

    private void open(BenchContext context, Path directory) {
        Series opening = new Series();
        Path plain = context.directory().resolve("plain");
        Store.create(plain, StoreOptions.defaults()).close();
        for (int round = 0; round < context.rounds(); round++) {
            opening.add(openNanos(directory) / 1e6, openNanos(plain) / 1e6);
        }
        figures.add(opening.figure(
                "snapshot-open", "opening with %d snapshots".formatted(SNAPSHOTS), "ms", "a store of nothing",
                Figure.Aim.NONE));
    }

    private static double openNanos(Path directory) {
        long begin = System.nanoTime();
        Store store = Store.open(directory, StoreOptions.defaults());
        long nanos = System.nanoTime() - begin;
        store.close();
        return nanos;
    }

    /** In random order, and waits until all is freed. */
    private void deleteAll(BenchContext context, Store store) {
        List<Snapshot> all = new ArrayList<>(store.snapshots());
        Collections.shuffle(all, new Random(1));
        long liveBefore = store.statistics().log().liveBytes();
        long begin = System.nanoTime();
        all.forEach(Snapshot::delete);
        double deleted = (System.nanoTime() - begin) / 1e9;
        store.checkpoint();
        double freed = (System.nanoTime() - begin) / 1e9;
        long live = store.statistics().log().liveBytes();
        context.say("snapshot: %d deleted in %.2f s, %d MiB free in %.2f s", all.size(), deleted, liveBefore - live >> 20, freed);
        figures.add(new Figure(
                "snapshot-delete", "deleting %d snapshots in random order, space free".formatted(all.size()), freed, "s",
                "their names gone", deleted, freed / deleted, Figure.Aim.NONE));
    }

    private static double median(long[] values) {
        long[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
