package org.kvmdb.tools.kill;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.kvmdb.journal.simulation.CampaignTally;

/**
 * What one thread, alone, does to the family of volumes that is {@link #FAMILY} and its clones, and to snapshots of all
 * volumes. Which one comes next is a pure function of (seed, number, names that are there): child and check come to the
 * same.
 *
 * @param target the volume, the snapshot to be taken or gone back to, or the clone to be made
 * @param sources names of snapshots; of a clone, the one
 */
record Operation(long number, Kind kind, String target, List<String> sources, long seed) {

    enum Kind {
        WRITE,
        SNAPSHOT,
        CLONE,
        ROLL_BACK,
        DELETE_SNAPSHOTS,
        DELETE_CLONE,
        RESIZE,
        GROUP_SNAPSHOT,
        DELETE_GROUP_SNAPSHOT,
        CHECKPOINT,
        CLEAN
    }

    static final String FAMILY = "family";
    static final int FAMILY_ID = 4;
    static final int CELL_BYTES = 4096;
    static final int CELLS_MIN = 150;
    static final int CELLS_MAX = 200;

    private static final int SNAPSHOTS_MAX = 8;
    private static final int CLONES_MAX = 2;
    private static final int GROUP_SNAPSHOTS_MAX = 4;

    /**
     * What there is, oldest first.
     *
     * @param snapshots of {@link #FAMILY}, named s and the number of the operation
     * @param clones named k, number, s and the number of their snapshot
     * @param groupSnapshots named g, the group, x and the number
     * @param isTight whether the last operation of this child found the store full
     */
    record Names(List<String> snapshots, List<String> clones, List<String> groupSnapshots, boolean isTight) {

        /** Those that no clone was made from. */
        List<String> deletable() {
            return snapshots.stream()
                    .filter(snapshot -> clones.stream().noneMatch(clone -> clone.endsWith("-" + snapshot)))
                    .toList();
        }
    }

    static boolean isClone(String volume) {
        return volume.matches("k[0-9]+-s[0-9]+");
    }

    static String cloneName(long number, String snapshot) {
        return "k" + number + "-" + snapshot;
    }

    /** The group of a snapshot of a group. */
    static int group(String groupSnapshot) {
        return groupSnapshot.charAt(1) - '0';
    }

    static Operation next(long seed, long number, Names names) {
        long own = CampaignTally.mix(~seed ^ CampaignTally.mix(number));
        return new Planner(number, own, names).plan();
    }

    /** Chooses one that is possible. */
    private static final class Planner {

        private final long number;
        private final long seed;
        private final Names names;
        private final SplittableRandom random;

        Planner(long number, long seed, Names names) {
            this.number = number;
            this.seed = seed;
            this.names = names;
            this.random = new SplittableRandom(seed);
        }

        Operation plan() {
            int dice = random.nextInt(100);
            if (names.isTight()) {
                return free();
            }
            if (dice < 44) {
                return write();
            } else if (dice < 60) {
                return names.snapshots().size() < SNAPSHOTS_MAX ? operation(Kind.SNAPSHOT, "s" + number) : free();
            } else if (dice < 67) {
                return free();
            } else if (dice < 76) {
                return cloneOrDelete();
            } else if (dice < 84) {
                return names.snapshots().isEmpty() ? write() : operation(Kind.ROLL_BACK, FAMILY, any(names.snapshots()));
            } else if (dice < 91) {
                String name = "g" + random.nextInt(CellVolume.GROUPS) + "x" + number;
                return names.groupSnapshots().size() < GROUP_SNAPSHOTS_MAX
                        ? operation(Kind.GROUP_SNAPSHOT, name)
                        : operation(Kind.DELETE_GROUP_SNAPSHOT, any(names.groupSnapshots()));
            } else if (dice < 94) {
                return operation(Kind.RESIZE, FAMILY);
            }
            return operation(dice < 98 ? Kind.CHECKPOINT : Kind.CLEAN, "");
        }

        private Operation operation(Kind kind, String target, String... sources) {
            return new Operation(number, kind, target, List.of(sources), seed);
        }

        private String any(List<String> names) {
            return names.get(random.nextInt(names.size()));
        }

        private Operation write() {
            boolean intoClone = !names.clones().isEmpty() && random.nextInt(3) == 0;
            return operation(Kind.WRITE, intoClone ? any(names.clones()) : FAMILY);
        }

        private Operation cloneOrDelete() {
            if (names.clones().size() < CLONES_MAX && !names.snapshots().isEmpty()) {
                String source = any(names.snapshots());
                return operation(Kind.CLONE, cloneName(number, source), source);
            }
            return names.clones().isEmpty() ? write() : operation(Kind.DELETE_CLONE, any(names.clones()));
        }

        /** Something that gives space back. */
        private Operation free() {
            List<String> deletable = new ArrayList<>(names.deletable());
            if (!deletable.isEmpty() && (names.groupSnapshots().isEmpty() || random.nextInt(3) > 0)) {
                List<String> chosen = new ArrayList<>();
                for (int count = random.nextInt(1, 4); count > 0 && !deletable.isEmpty(); count--) {
                    chosen.add(deletable.remove(random.nextInt(deletable.size())));
                }
                return new Operation(number, Kind.DELETE_SNAPSHOTS, "", chosen, seed);
            }
            if (!names.groupSnapshots().isEmpty()) {
                return operation(Kind.DELETE_GROUP_SNAPSHOT, any(names.groupSnapshots()));
            }
            return names.clones().isEmpty()
                    ? operation(Kind.CHECKPOINT, "")
                    : operation(Kind.DELETE_CLONE, any(names.clones()));
        }
    }

    long stamp() {
        return Cells.operationStamp(number);
    }

    /** Takes cells. */
    interface Visitor {
        void cell(int cell);
    }

    /** The cells that a {@link Kind#WRITE} writes, in a volume of so many; the first of them is the ledger. */
    void forEachCell(int cells, Visitor visitor) {
        SplittableRandom cellRandom = new SplittableRandom(seed + 1);
        visitor.cell(0);
        int count = cellRandom.nextInt(10) == 0 ? cells : cellRandom.nextInt(1, 20);
        for (int i = 0; i < count; i++) {
            visitor.cell(cellRandom.nextInt(1, cells));
        }
    }

    /** The size that a {@link Kind#RESIZE} gives. */
    int cellsAfterResize() {
        return new SplittableRandom(seed + 1).nextInt(CELLS_MIN, CELLS_MAX + 1);
    }

    /** How a {@link Kind#WRITE} is committed. */
    Step.Commit commit() {
        return switch ((int) (seed >>> 8 & 3)) {
            case 0 -> Step.Commit.WHOLE_STORE;
            case 1 -> Step.Commit.ASYNC_AND_SYNC;
            default -> Step.Commit.GROUP;
        };
    }
}
