package org.kvmdb.tools.kill;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.tools.kill.KillFigures.Figure;

/**
 * Checks the volumes that several threads write. Of each thread and group the ledgers of a recovered store say up to which
 * step it is there: at least to the last that was acknowledged, at most to the last that was issued, the same in all
 * volumes of the group. From that follows what every other cell must hold, and no cell may hold anything else. The same is
 * true of a snapshot, with what was acknowledged before and issued after it was taken as the bounds.
 */
final class GroupModel {

    private final long workSeed;
    private final KillFigures figures;
    private final Map<CellVolume, Cells> cells = new EnumMap<>(CellVolume.class);
    private final Map<String, Map<CellVolume, long[]>> snapshots = new HashMap<>();

    /** As the last check found it. */
    private Map<CellVolume, long[]> heads = new EnumMap<>(CellVolume.class);

    GroupModel(long workSeed, KillFigures figures) {
        this.workSeed = workSeed;
        this.figures = figures;
        for (CellVolume volume : CellVolume.values()) {
            cells.put(volume, new Cells(volume.id(), volume.cellBytes()));
            heads.put(volume, new long[volume.cells()]);
        }
    }

    /** @param isThorough whether snapshots that were compared before are compared again */
    void check(Store store, KillLedger ledger, boolean isThorough) {
        Map<CellVolume, long[]> recovered = copyOf(heads);
        for (int group = 0; group < CellVolume.GROUPS; group++) {
            for (int thread = 0; thread < CellVolume.THREADS; thread++) {
                long found = found(store, thread, group);
                checkBounds(ledger, thread, group, found);
                advance(recovered, ledger, thread, group, found);
                count(ledger.slot(thread, group), found);
            }
        }
        for (CellVolume volume : CellVolume.values()) {
            cells.get(volume).check(volume.label(), store.volume(volume.label()).memory(), recovered.get(volume));
        }
        checkSnapshots(store, ledger, recovered, isThorough);
        heads = recovered;
        stand(ledger);
    }

    private static Map<CellVolume, long[]> copyOf(Map<CellVolume, long[]> stamps) {
        Map<CellVolume, long[]> copy = new EnumMap<>(CellVolume.class);
        stamps.forEach((volume, of) -> copy.put(volume, of.clone()));
        return copy;
    }

    /** The step that a thread's ledgers show, the same in all volumes of the group. */
    private long found(Store store, int thread, int group) {
        long first = -1;
        for (CellVolume volume : CellVolume.ofGroup(group)) {
            long found = Cells.number(cells.get(volume).stamp(store.volume(volume.label()).memory(), thread));
            KillFailure.check(
                    first < 0 || found == first,
                    "torn commit: thread %d stands at step %d in one volume, at %d in %s",
                    thread, first, found, volume.label());
            first = found;
        }
        return first;
    }

    private void checkBounds(KillLedger ledger, int thread, int group, long found) {
        KillLedger.Slot slot = ledger.slot(thread, group);
        boolean stands = found == slot.standing() && slot.acknowledged() == 0;
        boolean advanced = slot.first() != KillLedger.NONE
                && found >= Math.max(slot.first(), slot.acknowledged())
                && found <= slot.issued()
                && !slot.isAborted(found);
        KillFailure.check(
                stands || advanced,
                "thread %d of group %d is found at step %d: before this child it stood at %d; the child issued %d to %d,"
                        + " acknowledged %d%s",
                thread, group, found, slot.standing(), slot.first(), slot.issued(), slot.acknowledged(),
                slot.isAborted(found) ? ", and rolled this one back" : "");
    }

    private void count(KillLedger.Slot slot, long found) {
        if (slot.first() == KillLedger.NONE) {
            return;
        }
        long acknowledged = Math.max(slot.acknowledged(), slot.first() - 1);
        long kept = Math.max(found, acknowledged);
        figures.add(Figure.ACKNOWLEDGED, acknowledged + 1 - slot.first() - slot.aborted(slot.first(), acknowledged));
        figures.add(Figure.KEPT, kept - acknowledged - slot.aborted(acknowledged + 1, kept));
        figures.add(Figure.LOST, slot.issued() - kept - slot.aborted(kept + 1, slot.issued()));
        figures.add(Figure.FULL, slot.aborted(slot.first(), slot.issued()));
    }

    /** Does again what a thread did in this cycle, up to a step. */
    private void advance(Map<CellVolume, long[]> stamps, KillLedger ledger, int thread, int group, long to) {
        KillLedger.Slot slot = ledger.slot(thread, group);
        for (long number = slot.first(); number <= to; number++) {
            if (!slot.isAborted(number)) {
                Step.of(workSeed, thread, group, number)
                        .forEach((volume, cell, stamp) -> stamps.get(volume)[cell] = stamp);
            }
        }
    }

    private void stand(KillLedger ledger) {
        for (CellVolume volume : CellVolume.values()) {
            for (int thread = 0; thread < CellVolume.THREADS; thread++) {
                ledger.slot(thread, volume.group()).standing(Cells.number(heads.get(volume)[thread]));
            }
        }
    }

    // ---- snapshots ----

    /** Which there are, the {@link FamilyModel} has checked. */
    private void checkSnapshots(
            Store store, KillLedger ledger, Map<CellVolume, long[]> recovered, boolean isThorough) {
        Set<String> names = new LinkedHashSet<>(FamilyOperator.names(store, false).groupSnapshots());
        snapshots.keySet().retainAll(names);
        for (String name : names) {
            boolean isNew = !snapshots.containsKey(name);
            if (isNew) {
                snapshots.put(name, expected(store, ledger, name, recovered));
            }
            if (isNew || isThorough) {
                for (CellVolume volume : CellVolume.ofGroup(Operation.group(name))) {
                    Snapshot snapshot = snapshot(store, volume, name);
                    figures.add(Figure.SNAPSHOTS, 1);
                    cells.get(volume).check(snapshot.fullName(), snapshot.memory(), snapshots.get(name).get(volume));
                    snapshot.release();
                }
            }
        }
    }

    private static Snapshot snapshot(Store store, CellVolume volume, String name) {
        return store.volume(volume.label()).snapshotNamed(name);
    }

    /** What a snapshot that was taken in this cycle must hold. */
    private Map<CellVolume, long[]> expected(
            Store store, KillLedger ledger, String name, Map<CellVolume, long[]> recovered) {
        int group = Operation.group(name);
        long operation = Long.parseLong(name.substring(name.indexOf('x') + 1));
        Map<CellVolume, long[]> stamps = copyOf(heads);
        for (int thread = 0; thread < CellVolume.THREADS; thread++) {
            long first = -1;
            for (CellVolume volume : CellVolume.ofGroup(group)) {
                long found = Cells.number(cells.get(volume).stamp(snapshot(store, volume, name).memory(), thread));
                long head = Cells.number(recovered.get(volume)[thread]);
                checkSnapshotBounds(ledger, operation, name, thread, found, head);
                KillFailure.check(
                        first < 0 || found == first,
                        "snapshot %s is torn: thread %d stands at step %d in one volume, at %d in %s",
                        name, thread, first, found, volume.label());
                first = found;
            }
            advance(stamps, ledger, thread, group, first);
        }
        return stamps;
    }

    private void checkSnapshotBounds(
            KillLedger ledger, long operation, String name, int thread, long found, long head) {
        KillLedger.Slot slot = ledger.slot(thread, Operation.group(name));
        long acknowledged = ledger.acknowledgedBefore(operation, thread);
        long issued = ledger.issuedAfter(operation, thread);
        boolean holds = found == slot.standing() && acknowledged == 0
                || found >= Math.max(slot.first(), acknowledged)
                        && found <= (issued == 0 ? slot.issued() : issued)
                        && found <= head
                        && !slot.isAborted(found);
        KillFailure.check(
                holds,
                "snapshot %s has thread %d at step %d: it stood at %d, %d was acknowledged before the snapshot was taken,"
                        + " %d issued when that returned, the volume stands at %d",
                name, thread, found, slot.standing(), acknowledged, issued, head);
    }
}
