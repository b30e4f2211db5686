package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.RecordingDevice;

class CatalogWriterTest {

    /** A volume that is mapped, and two snapshots whose maps are not in memory. */
    private static Workload workload(String name) {
        final Workload work = new Workload(new RecordingDevice(new MemoryDevice(name)), Workload.tinyOptions(), 1);
        work.create();
        work.createVolume("a", 200 << 12, 12);
        work.put("a", true, LongStream.range(0, 20).toArray());
        work.snapshot("a", "s");
        work.put("a", true, LongStream.range(0, 40).toArray());
        work.snapshot("a", "later");
        work.put("a", true, LongStream.range(40, 100).toArray());
        work.checkpoint();
        work.journal().versions().openMap(work.journal().volume("a"));
        return work;
    }

    private static void rollback(Workload work) {
        final Versions versions = work.journal().versions();
        versions.rollbackTo(work.journal().volume("a").id(), versions.snapshot("a", "s").id());
    }

    @Test
    void shouldChangeNothingWhenTheMapToRollBackToCannotBeRead() {
        try (Workload work = workload("unreadable")) {
            final long root = work.journal().versions().snapshot("a", "s").storedRoot();
            work.flipBitOf(root);
            assertThrows(StorageException.class, () -> rollback(work));
            work.flipBitOf(root); // it was a bad read that passes
            work.put("a", true, 45, 46, 47);
            work.dropAll();
            work.checkpoint();
            work.checkAllIssued();
            work.kill();
            work.reopen();
            work.checkAllIssued();
        }
    }

    @Test
    void shouldFailTheJournalWhenMemoryCannotFollowADurableRecord() {
        try (Workload work = workload("behind")) {
            work.journal().onRootChange((version, root) -> {
                throw new StorageException(ErrorCode.BUSY, "not now");
            });
            final StorageException thrown = assertThrows(StorageException.class, () -> rollback(work));
            assertEquals(ErrorCode.FAILED, thrown.code());
            assertEquals(ErrorCode.FAILED, assertThrows(StorageException.class, () -> work.put("a", true, 1)).code());
            work.journal().kill();
            work.device().reopen();
            try (Journal reopened = Journal.open(work.device(), work.options())) {
                final VolumeEntry volume = reopened.volume("a");
                assertEquals("s", volume.parentSnapshot().name().replaceFirst(".*@", ""));
                assertEquals(0, reopened.lookup(volume.id(), 50), "a page that the snapshot does not have");
                SpaceCheck.check(reopened);
            }
        }
    }
}
