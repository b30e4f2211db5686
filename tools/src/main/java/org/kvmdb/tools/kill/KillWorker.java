package org.kvmdb.tools.kill;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;

/**
 * What the store's own proof runs in children: {@link StepWriter}s, which share pages and commits, and one {@link
 * FamilyOperator}, with a cache that is smaller than the data and a store that is full at times.
 */
public final class KillWorker {

    private static final long STOP_POLL_MILLIS = 1;

    private final KillChild child;
    private final KillLedger ledger;
    private final long workSeed;
    private final StoreOptions options;

    /** Held for reading by whoever is between a write and the end of its commit, so that a rollback takes nobody else's. */
    private final ReadWriteLock inFlight = new ReentrantReadWriteLock();

    private Store store;
    private final Map<CellVolume, Volume> volumes = new EnumMap<>(CellVolume.class);

    private KillWorker(KillChild child) {
        this.child = child;
        this.ledger = new KillLedger(child.record().body());
        this.workSeed = Long.parseLong(child.arguments().get(0));
        this.options = options(Long.parseLong(child.arguments().get(1))).withControlSocket(child.seed() % 4 == 0);
    }

    /** A cache of less than the data, and the smallest segments: corners are near. */
    static StoreOptions options(long maxSizeBytes) {
        return StoreOptions.defaults()
                .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
                .withSegmentSizeBytes(256 << 10)
                .withMaxSizeBytes(maxSizeBytes)
                .withCheckpointRecords(2000)
                .withControlSocket(false);
    }

    /** Arguments besides those of every child: the seed of the work, the size that the store may grow to. */
    public static void main(String[] arguments) {
        KillChild.run(arguments, child -> new KillWorker(child).run());
    }

    private void run() throws InterruptedException {
        child.opening();
        store = open();
        checkStanding();
        child.working();
        List<Thread> threads = new ArrayList<>();
        for (int thread = 0; thread < CellVolume.THREADS; thread++) {
            threads.add(start("writer-" + thread, new StepWriter(this, thread)));
        }
        threads.add(start("operator", new FamilyOperator(this)));
        while (!child.isStopAsked()) {
            Thread.sleep(STOP_POLL_MILLIS);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        child.closing();
        store.close();
    }

    private static Thread start(String name, Runnable work) {
        return Thread.ofPlatform().daemon().name(name).start(() -> {
            try {
                work.run();
            } catch (Throwable e) {
                KillChild.fail(e);
            }
        });
    }

    private Store open() {
        // A creation that was killed has made nothing, or all of an empty store.
        boolean isThere = Files.exists(child.store().resolve(StoreCopy.DATA_FILE));
        Store opened = isThere ? Store.open(child.store(), options) : Store.create(child.store(), options);
        Set<String> names = opened.volumes().stream().map(Volume::name).collect(Collectors.toSet());
        for (CellVolume volume : CellVolume.values()) {
            volumes.put(
                    volume,
                    names.contains(volume.label())
                            ? opened.volume(volume.label())
                            : opened.createVolume(volume.label(), volume.options()));
        }
        if (!names.contains(Operation.FAMILY)) {
            opened.createVolume(
                    Operation.FAMILY, VolumeOptions.ofSizeBytes((long) Operation.CELLS_MAX * Operation.CELL_BYTES));
        }
        KillFailure.check(!ledger.isCreated() || names.size() > CellVolume.values().length, "only %s are there", names);
        ledger.created();
        return opened;
    }

    /** What this recovery has found is what the check, which recovered a copy, has found. */
    private void checkStanding() {
        for (CellVolume volume : CellVolume.values()) {
            Cells cells = new Cells(volume.id(), volume.cellBytes());
            for (int thread = 0; thread < CellVolume.THREADS; thread++) {
                long found = Cells.number(cells.stamp(memory(volume), thread));
                long standing = ledger.slot(thread, volume.group()).standing();
                KillFailure.check(
                        found == standing,
                        "recovered twice, thread %d of volume %s stood at step %d and then at %d",
                        thread, volume.label(), standing, found);
            }
        }
    }

    // ---- for those who work ----

    Store store() {
        return store;
    }

    KillLedger ledger() {
        return ledger;
    }

    ReadWriteLock inFlight() {
        return inFlight;
    }

    long workSeed() {
        return workSeed;
    }

    Volume volume(CellVolume volume) {
        return volumes.get(volume);
    }

    java.lang.foreign.MemorySegment memory(CellVolume volume) {
        return volumes.get(volume).memory();
    }

    List<Volume> volumesOf(int group) {
        return CellVolume.ofGroup(group).stream().map(volumes::get).toList();
    }

    boolean goesOn() {
        return !child.isStopAsked();
    }

    void advance() {
        child.advance();
    }

    /** Commits what was written to volumes, in one of the ways. */
    void commit(Step.Commit commit, List<Volume> written) {
        switch (commit) {
            case WHOLE_STORE -> store.commit();
            case GROUP -> store.commit(written);
            case ASYNC -> store.commitAsync();
            case ASYNC_AND_SYNC -> {
                store.commitAsync();
                store.sync();
            }
        }
    }
}
