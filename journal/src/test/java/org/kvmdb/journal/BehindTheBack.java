package org.kvmdb.journal;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * What a bug would leave, put into the state of a journal behind its back, between taking a snapshot and going on. What the
 * tests check with must notice it.
 */
enum BehindTheBack {
    NONE(journal -> {}),
    HEAD_FORGETS_ITS_PARENT(journal -> head(journal).parent(null)),
    SNAPSHOT_FORGETS_ITS_CHILD(journal -> ((Version) snapshot(journal)).children().clear()),
    DELETION_PASSES_PAGES_BY(journal -> snapshot(journal).dropCursor(1024)),
    NODE_SEEMS_OLDER_THAN_IT_IS(journal -> {
        final NodeArena arena = journal.parts().arena();
        arena.birth(leaf(journal), 1);
    }),
    ENTRY_SEEMS_YOUNGER_THAN_IT_IS(journal -> {
        final NodeArena arena = journal.parts().arena();
        arena.mixBirths(leaf(journal), arena.birth(leaf(journal)));
    }),
    SEGMENT_IS_FREED_TOO_EARLY(journal -> {
        final SegmentTable segments = journal.parts().segments();
        for (int i = 0; i < segments.count(); i++) {
            if (segments.state(i) == SegmentState.FULL && segments.live(i) > 0) {
                segments.free().add(i);
                return;
            }
        }
    }),
    BLOCK_DIES_TWICE(journal -> journal.parts().segments().removeLive(journal.lookup(head(journal).id(), 1))),
    NODE_DIES_THAT_IS_NEEDED(journal -> {
        final NodeArena arena = journal.parts().arena();
        journal.parts().map().killNode(MapNodeDescriptor.childNode(arena.entry(
                head(journal).mapRoot(), 0)));
    }),
    NODE_IS_LEFT_BEHIND(journal -> journal.parts().arena().allocate(0, 1, 1)),
    REFERENCES_ARE_MISCOUNTED(journal -> head(journal).addReferenced(1, Ppn.UNIT_BYTES));

    private final Consumer<Journal> plant;

    BehindTheBack(Consumer<Journal> plant) {
        this.plant = plant;
    }

    private static VolumeEntry head(Journal journal) {
        return journal.volume("a");
    }

    private static SnapshotEntry snapshot(Journal journal) {
        return journal.versions().snapshots().getFirst();
    }

    /** The leaf of the head that was written since the snapshot. */
    private static int leaf(Journal journal) {
        final NodeArena arena = journal.parts().arena();
        int node = head(journal).mapRoot();
        for (int level = PageMap.TOP; level > 0; level--) {
            node = MapNodeDescriptor.childNode(arena.entry(node, 0));
        }
        return node;
    }

    private static long[] range(int from, int count) {
        return LongStream.range(from, from + count).toArray();
    }

    /** Runs steps with it, and compares. */
    void run(AtomicLong cases, long seed) {
        cases.incrementAndGet();
        final JournalOptions options = Workload.tinyOptions().withMaxSizeBytes((1 << 20) + 96 * (64 << 10));
        final KeptDevice device = new KeptDevice(new MemoryDevice("behind"));
        try (Workload work = new Workload(device, options, seed)) {
            work.create();
            work.createVolume("a", 2000L << 12, 12);
            work.put("a", true, range(0, 100));
            work.put("a", true, range(600, 5));
            work.put("a", true, range(1500, 5));
            work.checkpoint();
            work.snapshot("a", "s");
            work.put("a", true, range(10, 20));
            work.checkpoint();
            plant.accept(work.journal());
            work.put("a", true, range(5, 20));
            work.deleteSnapshot("a@s");
            work.dropAll();
            work.checkpoint();
            SpaceCheck.check(work.journal());
            work.model().commitOf(StoreModel.read(work.journal()), work.acked(), work.issued());
        } finally {
            device.dispose();
        }
    }
}
