package org.kvmdb.tools.kill;

import java.util.List;
import java.util.SplittableRandom;
import org.kvmdb.journal.simulation.CampaignTally;

/**
 * What a thread writes and commits at a time, as a pure function of (seed, thread, group, number): the child does it, the
 * check does it again to its own copy.
 *
 * @param size how many cells of each volume of the group, the ledger not counted
 */
record Step(int thread, int group, long number, Size size, Commit commit, long seed) {

    /** How much. */
    enum Size {
        FEW,
        MANY,
        /** More than may be dirty: pages are stolen to the log before the commit. */
        HUGE
    }

    enum Commit {
        WHOLE_STORE,
        GROUP,
        ASYNC,
        ASYNC_AND_SYNC
    }

    /** Takes the cells of a step. */
    interface Visitor {
        void cell(CellVolume volume, int cell, long stamp);
    }

    static Step of(long seed, int thread, int group, long number) {
        long own = CampaignTally.mix(seed ^ CampaignTally.mix(number << 8 | group << 4 | thread));
        SplittableRandom random = new SplittableRandom(own);
        int dice = random.nextInt(100);
        Size size = dice < 85 ? Size.FEW : dice < 98 ? Size.MANY : Size.HUGE;
        Commit commit =
                switch (random.nextInt(8)) {
                    case 0 -> Commit.ASYNC;
                    case 1 -> Commit.ASYNC_AND_SYNC;
                    case 2, 3, 4 -> Commit.GROUP;
                    default -> Commit.WHOLE_STORE;
                };
        return new Step(thread, group, number, size, commit, own);
    }

    long stamp() {
        return Cells.stepStamp(thread, group, number);
    }

    /** All cells that it writes, the ledgers last; a cell may come more than once. */
    void forEach(Visitor visitor) {
        SplittableRandom random = new SplittableRandom(seed + 1);
        List<CellVolume> volumes = CellVolume.ofGroup(group);
        for (CellVolume volume : volumes) {
            int own = volume.cells() / CellVolume.THREADS;
            int count =
                    switch (size) {
                        case FEW -> random.nextInt(1, 6);
                        case MANY -> random.nextInt(6, 50);
                        case HUGE -> own;
                    };
            for (int i = 0; i < count; i++) {
                visitor.cell(volume, random.nextInt(1, own) * CellVolume.THREADS + thread, stamp());
            }
        }
        for (CellVolume volume : volumes) {
            visitor.cell(volume, thread, stamp());
        }
    }
}
