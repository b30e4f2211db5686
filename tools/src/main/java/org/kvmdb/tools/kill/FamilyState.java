package org.kvmdb.tools.kill;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.kvmdb.tools.kill.Operation.Names;

/** What must be there of the family, and which snapshots of groups: the model that operations are applied to. Immutable. */
final class FamilyState {

    /**
     * @param stamps of the first {@link Operation#CELLS_MAX} cells
     * @param cells its size
     */
    record Version(long[] stamps, int cells) {

        Version resized(int newCells) {
            long[] changed = stamps.clone();
            Arrays.fill(changed, Math.min(cells, newCells), changed.length, 0);
            return new Version(changed, newCells);
        }

        Version written(Operation operation) {
            long[] changed = stamps.clone();
            operation.forEachCell(cells, cell -> changed[cell] = operation.stamp());
            return new Version(changed, cells);
        }

        long[] visible() {
            return Arrays.copyOf(stamps, cells);
        }
    }

    /** The head of the family, and its clones. */
    private final Map<String, Version> volumes;

    private final Map<String, Version> snapshots;
    private final List<String> groupSnapshots;

    private FamilyState(
            Map<String, Version> volumes, Map<String, Version> snapshots, List<String> groupSnapshots) {
        this.volumes = volumes;
        this.snapshots = snapshots;
        this.groupSnapshots = groupSnapshots;
    }

    static FamilyState initial() {
        Map<String, Version> volumes = new TreeMap<>();
        volumes.put(Operation.FAMILY, new Version(new long[Operation.CELLS_MAX], Operation.CELLS_MAX));
        return new FamilyState(volumes, new LinkedHashMap<>(), new ArrayList<>());
    }

    Map<String, Version> volumes() {
        return volumes;
    }

    Map<String, Version> snapshots() {
        return snapshots;
    }

    Names names(boolean isTight) {
        return new Names(
                List.copyOf(snapshots.keySet()),
                volumes.keySet().stream().filter(Operation::isClone).toList(),
                List.copyOf(groupSnapshots),
                isTight);
    }

    /** What it is after an operation. */
    FamilyState after(Operation operation) {
        FamilyState next = new FamilyState(
                new TreeMap<>(volumes), new LinkedHashMap<>(snapshots), new ArrayList<>(groupSnapshots));
        next.apply(operation);
        return next;
    }

    private void apply(Operation operation) {
        String target = operation.target();
        switch (operation.kind()) {
            case WRITE -> volumes.put(target, volumes.get(target).written(operation));
            case SNAPSHOT -> snapshots.put(target, volumes.get(Operation.FAMILY));
            case CLONE -> volumes.put(target, snapshots.get(operation.sources().getFirst()));
            case ROLL_BACK -> volumes.put(target, snapshots.get(operation.sources().getFirst()));
            case DELETE_SNAPSHOTS -> operation.sources().forEach(snapshots::remove);
            case DELETE_CLONE -> volumes.remove(target);
            case RESIZE -> volumes.put(target, volumes.get(target).resized(operation.cellsAfterResize()));
            case GROUP_SNAPSHOT -> groupSnapshots.add(target);
            case DELETE_GROUP_SNAPSHOT -> groupSnapshots.remove(target);
            case CHECKPOINT, CLEAN -> {}
        }
    }
}
