package org.kvmdb.tools.kill;

import java.nio.file.Path;
import java.util.List;
import org.kvmdb.Store;
import org.kvmdb.gc.StoreChecker;
import org.kvmdb.gc.StoreReport;
import org.kvmdb.tools.kill.KillFigures.Figure;

/** The store's own proof: {@link KillWorker} in the children, checked against the models of what it did. */
final class StoreSubject implements KillSubject {

    private static final int THOROUGH_EVERY = 16;
    private static final long CHECK_CACHE_BYTES = 32L << 20;

    private final long workSeed;
    private final long maxSizeBytes;
    private final KillFigures figures;
    private final GroupModel groups;
    private final FamilyModel family;

    StoreSubject(long workSeed, long maxSizeBytes, KillFigures figures) {
        this.workSeed = workSeed;
        this.maxSizeBytes = maxSizeBytes;
        this.figures = figures;
        this.groups = new GroupModel(workSeed, figures);
        this.family = new FamilyModel(workSeed, figures);
    }

    @Override
    public Class<?> child() {
        return KillWorker.class;
    }

    @Override
    public List<String> arguments(KillCycle cycle) {
        return List.of(Long.toString(workSeed), Long.toString(maxSizeBytes));
    }

    @Override
    public long recordBytes() {
        return KillLedger.BYTES;
    }

    @Override
    public void prepare(KillCycle cycle, Path store, KillRecord record) {
        new KillLedger(record.body()).begin();
    }

    @Override
    public void check(KillCycle cycle, Path store, KillRecord record) {
        KillLedger ledger = new KillLedger(record.body());
        if (!ledger.isCreated()) {
            // Where there is a file there is a whole store, if without volumes.
            open(store).close();
            checkStructures("after its creation was killed", store);
            return;
        }
        boolean isThorough = cycle.number() % THOROUGH_EVERY == THOROUGH_EVERY - 1;
        if (isThorough) {
            checkStructures("as it was left", store);
        }
        try (Store opened = open(store)) {
            family.check(opened, ledger, isThorough);
            groups.check(opened, ledger, isThorough);
        }
        if (isThorough) {
            checkStructures("after recovery and close", store);
            figures.add(Figure.CHECKED, 2);
        }
    }

    private Store open(Path store) {
        return Store.open(
                store,
                KillWorker.options(maxSizeBytes)
                .withCacheSizeBytes(CHECK_CACHE_BYTES)
                .withCountersFile(false));
    }

    /** {@code kvmdb check}. */
    static void checkStructures(String when, Path store) {
        StoreReport report = StoreChecker.check(store.resolve(StoreCopy.DATA_FILE), (done, total) -> {});
        KillFailure.check(
                report.isClean(), "kvmdb check finds %d defects %s: %s", report.defectCount(), when, report.defects());
    }
}
