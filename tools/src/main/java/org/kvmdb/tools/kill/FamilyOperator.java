package org.kvmdb.tools.kill;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.kvmdb.Scope;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.StoreFullException;
import org.kvmdb.Volume;
import org.kvmdb.tools.kill.KillLedger.Outcome;
import org.kvmdb.tools.kill.Operation.Names;

/** The thread that takes snapshots, clones them, goes back to them and deletes them, and has the store clean itself. */
final class FamilyOperator implements Runnable {

    private static final double DEAD_SHARE = 0.1;

    private final KillWorker worker;
    private final Store store;
    private final KillLedger ledger;
    private final Cells cells = new Cells(Operation.FAMILY_ID, Operation.CELL_BYTES);
    private boolean isTight;

    FamilyOperator(KillWorker worker) {
        this.worker = worker;
        this.store = worker.store();
        this.ledger = worker.ledger();
    }

    @Override
    public void run() {
        while (worker.goesOn() && ledger.hasRoomForOperation()) {
            Operation operation =
                    Operation.next(worker.workSeed(), ledger.issuedOperation() + 1, names(store, isTight));
            long number = ledger.issueOperation();
            worker.inFlight().readLock().lock();
            try {
                run(operation);
                ledger.outcome(number, Outcome.DONE);
                isTight = false;
            } catch (StoreFullException e) {
                giveUp(operation);
            } catch (InternalError e) {
                if (List.of(e.getSuppressed()).stream().noneMatch(StoreFullException.class::isInstance)) {
                    throw e;
                }
                giveUp(operation);
            } finally {
                worker.inFlight().readLock().unlock();
            }
            worker.advance();
        }
    }

    static Names names(Store store, boolean isTight) {
        List<Snapshot> snapshots = store.snapshots();
        return new Names(
                snapshots.stream()
                        .filter(snapshot -> snapshot.volumeName().equals(Operation.FAMILY))
                        .map(Snapshot::name)
                        .toList(),
                store.volumes().stream().map(Volume::name).filter(Operation::isClone).toList(),
                snapshots.stream()
                        .filter(snapshot -> snapshot.name().startsWith("g"))
                        .map(Snapshot::name)
                        .distinct()
                        .toList(),
                isTight);
    }

    /** The store is full: what the operation has written is dropped, unless a commit of a writer was quicker. */
    private void giveUp(Operation operation) {
        isTight = true;
        boolean isThere = false;
        if (operation.kind() == Operation.Kind.WRITE) {
            Volume volume = store.volume(operation.target());
            volume.rollback();
            isThere = cells.stamp(volume.memory(), 0) == operation.stamp();
        } else if (operation.kind() == Operation.Kind.CHECKPOINT || operation.kind() == Operation.Kind.CLEAN) {
            isThere = true;
        }
        ledger.outcome(operation.number(), isThere ? Outcome.DONE : Outcome.FAILED);
    }

    private void run(Operation operation) {
        switch (operation.kind()) {
            case WRITE -> write(operation);
            case SNAPSHOT -> store.volume(Operation.FAMILY).snapshot(operation.target());
            case CLONE -> family(operation.sources().getFirst()).cloneAs(operation.target());
            case ROLL_BACK -> store.volume(Operation.FAMILY).rollbackTo(family(operation.sources().getFirst()));
            case DELETE_SNAPSHOTS -> store.deleteSnapshots(
                    operation.sources().stream().map(this::family).toList());
            case DELETE_CLONE -> store.deleteVolume(operation.target());
            case RESIZE -> store.volume(Operation.FAMILY)
                    .resize((long) operation.cellsAfterResize() * Operation.CELL_BYTES);
            case GROUP_SNAPSHOT -> {
                int group = Operation.group(operation.target());
                ledger.noteBefore(operation.number(), group);
                store.snapshot(operation.target(), worker.volumesOf(group));
                ledger.noteAfter(operation.number(), group);
            }
            case DELETE_GROUP_SNAPSHOT -> store.deleteSnapshots(
                    CellVolume.ofGroup(Operation.group(operation.target())).stream()
                            .map(volume -> worker.volume(volume).snapshotNamed(operation.target()))
                            .toList());
            case CHECKPOINT -> store.checkpoint();
            case CLEAN -> store.clean(DEAD_SHARE, (dead, target) -> worker.goesOn());
        }
    }

    private Snapshot family(String name) {
        return store.volume(Operation.FAMILY).snapshotNamed(name);
    }

    private void write(Operation operation) {
        Volume volume = store.volume(operation.target());
        MemorySegment memory = volume.memory();
        int count = (int) (volume.sizeBytes() / Operation.CELL_BYTES);
        try (Scope _ = volume.writeScope()) {
            operation.forEachCell(count, cell -> cells.write(memory, cell, operation.stamp()));
        }
        worker.commit(operation.commit(), List.of(volume));
    }
}
