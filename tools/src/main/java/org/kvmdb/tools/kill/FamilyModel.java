package org.kvmdb.tools.kill;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.kvmdb.Snapshot;
import org.kvmdb.Store;
import org.kvmdb.Volume;
import org.kvmdb.tools.kill.FamilyState.Version;
import org.kvmdb.tools.kill.KillFigures.Figure;
import org.kvmdb.tools.kill.KillLedger.Outcome;

/**
 * Checks the family: one thread did one operation after the other, each durable when it returned. So what is there is
 * exactly what the operations that returned have made, or that and the one which was under way.
 */
final class FamilyModel {

    private final long workSeed;
    private final KillFigures figures;
    private final Cells cells = new Cells(Operation.FAMILY_ID, Operation.CELL_BYTES);

    /** Snapshots that were compared with the model once. They cannot change. */
    private final Set<String> compared = new HashSet<>();

    private FamilyState state = FamilyState.initial();

    FamilyModel(long workSeed, KillFigures figures) {
        this.workSeed = workSeed;
        this.figures = figures;
    }

    /** @param isThorough whether snapshots that were compared before are compared again */
    void check(Store store, KillLedger ledger, boolean isThorough) {
        List<FamilyState> candidates = candidates(ledger);
        List<String> differences = new ArrayList<>();
        for (FamilyState candidate : candidates) {
            String difference = difference(store, candidate, isThorough);
            if (difference.isEmpty()) {
                state = candidate;
                compared.clear();
                compared.addAll(candidate.snapshots().keySet());
                return;
            }
            differences.add(difference);
        }
        throw new KillFailure("the family is not as operation %d left it: %s%s".formatted(
                ledger.issuedOperation(),
                differences.getFirst(),
                differences.size() > 1 ? "; nor as the one before it did: " + differences.getLast() : ""));
    }

    /** The states that are right, the later one first. */
    private List<FamilyState> candidates(KillLedger ledger) {
        FamilyState before = state;
        if (ledger.firstOperation() == KillLedger.NONE) {
            return List.of(before);
        }
        boolean isTight = false;
        for (long number = ledger.firstOperation(); number <= ledger.issuedOperation(); number++) {
            Operation operation = Operation.next(workSeed, number, before.names(isTight));
            Outcome outcome = ledger.outcome(number);
            if (outcome == Outcome.UNKNOWN) {
                return List.of(before.after(operation), before);
            }
            figures.add(Figure.OPERATIONS, 1);
            figures.add(Figure.OPERATIONS_FULL, outcome == Outcome.FAILED ? 1 : 0);
            isTight = outcome == Outcome.FAILED;
            before = outcome == Outcome.DONE ? before.after(operation) : before;
        }
        return List.of(before);
    }

    /** Where the store differs; empty when it does not. */
    private String difference(Store store, FamilyState expected, boolean isThorough) {
        String names = FamilyOperator.names(store, false).toString();
        String expectedNames = expected.names(false).toString();
        if (!names.equals(expectedNames)) {
            return "there are %s and should be %s".formatted(names, expectedNames);
        }
        try {
            for (Map.Entry<String, Version> entry : expected.volumes().entrySet()) {
                Volume volume = store.volume(entry.getKey());
                check(volume.name(), volume.memory(), entry.getValue());
            }
            for (Map.Entry<String, Version> entry : expected.snapshots().entrySet()) {
                if (isThorough || !compared.contains(entry.getKey())) {
                    Snapshot snapshot = store.volume(Operation.FAMILY).snapshotNamed(entry.getKey());
                    check(snapshot.fullName(), snapshot.memory(), entry.getValue());
                    snapshot.release();
                    figures.add(Figure.SNAPSHOTS, 1);
                }
            }
            return "";
        } catch (KillFailure e) {
            return e.getMessage();
        }
    }

    private void check(String what, MemorySegment memory, Version expected) {
        KillFailure.check(
                memory.byteSize() == (long) expected.cells() * Operation.CELL_BYTES,
                "%s: it should have %d cells and has %d bytes", what, expected.cells(), memory.byteSize());
        cells.check(what, memory, expected.visible());
    }
}
