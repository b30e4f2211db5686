package org.kvmdb.journal;

import java.time.Instant;
import java.time.InstantSource;
import java.util.stream.LongStream;
import org.kvmdb.journal.simulation.KeptDevice;

/** Small stores in which there is something of everything, for those that tell lies in them. */
final class FuzzImages {

    static final JournalOptions OPTIONS = Workload.tinyOptions()
            .withMaxSizeBytes((1 << 20) + 64 * (64 << 10))
            .withClock(InstantSource.fixed(Instant.EPOCH));

    private FuzzImages() {}

    private static long[] range(int from, int count) {
        return LongStream.range(from, from + count).toArray();
    }

    /**
     * Volumes, snapshots, clones, what a rollback left, a deletion in pieces, remaps; and in the log since the checkpoint a
     * record of each kind.
     */
    static LogImage killed() {
        final KeptDevice device = new KeptDevice(new MemoryDevice("fuzz"));
        try (Workload work = new Workload(device, OPTIONS, 11)) {
            work.create();
            work.createVolume("a", 2000L << 12, 12);
            work.createVolume("b", 40L << 13, 13);
            work.put("a", true, range(0, 24));
            work.put("a", true, 600, 1500);
            work.snapshot("a", "s1");
            work.put("a", true, range(4, 8));
            work.snapshot("a", "s2");
            work.put("b", true, range(0, 6));
            work.put("a", true, range(10, 3));
            work.checkpoint();
            work.cloneSnapshot("a@s1", StoreModel.nameFrom(work.journal().volume("a"), "clone"));
            work.snapshot("b", "t");
            work.put("b", true, 1, 3);
            work.rollbackTo("b", "b@t");
            work.put("b", true, 2);
            work.checkpoint();
            work.clean(3);
            work.checkpoint();
            work.deleteSnapshot("a@s2");
            work.drop(3);
            work.checkpoint();
            sinceCheckpoint(work);
            work.kill();
            return LogImage.of(device.medium());
        } finally {
            device.dispose();
        }
    }

    private static void sinceCheckpoint(Workload work) {
        work.put("a", true, 1, 601);
        work.steal("a", 5, 6);
        work.put("a", true, "s3", 7);
        work.trim("a", true, 0, 8);
        work.createVolume("c", 10L << 12, 12);
        work.put("c", true, 0, 9);
        work.resizeVolume("c", 5L << 12);
        work.clean(3);
        work.journal().versions().quota(work.journal().volume("c").id(), 1 << 20);
        work.sendAndReceive("b@t", "r");
        work.cloneSnapshot("a@s3", StoreModel.nameFrom(work.journal().volume("a"), "late"));
        work.rollbackTo("b", "b@t");
        work.snapshot("a", "s4");
        work.put("a", true, 12);
        work.deleteSnapshot("a@s4");
        work.deleteVolume("c");
        work.put("b", true, 4);
        work.put("a", true, 11);
    }
}
