package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;

/** The system's cache holds wrong bytes of a store whose medium is right: nobody may notice. */
class SecondLookTest {

    private static final JournalOptions OPTIONS = Workload.tinyOptions();

    /** Commits and a checkpoint, some pages of a version of its own, and a log behind it. */
    private final MemoryDevice medium = new MemoryDevice("medium");

    private final CachedDevice device = new CachedDevice(medium);
    private StoreModel model;
    private int issued;

    private void makeStore() {
        try (Workload work = new Workload(device, OPTIONS, 1)) {
            work.create();
            work.createVolume("a", 1200 << 12, 12);
            work.createVolume("b", 20 << 15, 15);
            work.put("a", true, 1, 2, 600, 1100);
            work.put("b", true, 0, 7, 19);
            work.snapshot("a", "s");
            work.put("a", true, 2, 3, 601);
            work.checkpoint();
            work.put("a", true, 4, 602);
            model = work.model();
            issued = work.issued();
            work.kill();
        }
        device.reopen();
    }

    /** One bit of each block of 64 bytes of a range is the other one. */
    private void rotInCache(long from, long end) {
        final MemorySegment bytes = MemorySegment.ofBuffer(ByteBuffer.allocateDirect((int) (end - from)));
        medium.read(from, bytes);
        for (long at = 0; at < bytes.byteSize(); at += 64) {
            Fields.putByte(bytes, at + at / 64 % 64, Fields.byteAt(bytes, at + at / 64 % 64) ^ 4);
        }
        device.putIntoCache(from, bytes);
    }

    private void open(Consumer<Journal> look) {
        final Journal journal = Journal.open(device, OPTIONS);
        look.accept(journal);
        journal.kill();
        device.reopen();
    }

    @Test
    void shouldReadFromTheMediumWhatIsWrongInTheCache() {
        makeStore();
        rotInCache(0, medium.sizeBytes());
        open(journal -> assertEquals(issued, model.commitOf(StoreModel.read(journal), issued, issued)));
        device.dispose();
    }

    /** Nodes that are read one by one, as a deletion does. */
    @Test
    void shouldWalkAMapThatIsWrongInTheCache() {
        makeStore();
        open(journal -> {
            rotInCache(SuperblockDescriptor.SEGMENTS_OFFSET, medium.sizeBytes());
            final long[] pages = {0};
            journal.versions().diff(
                    null, journal.versions().snapshot("a", "s"), 0, Integer.MAX_VALUE,
                    (lpn, ppn) -> pages[0]++);
            assertEquals(4, pages[0]);
        });
        device.dispose();
    }

    /** One read that fails must not keep the space of what was deleted. */
    @Test
    void shouldDropAVersionThoughAReadOfItsMapFails() {
        boolean wasHit = true;
        for (int read = 0; wasHit; read++) {
            final FaultyDevice faulty = new FaultyDevice(
                    new MemoryDevice("medium"), FaultyDevice.Operation.READ, Fault.EIO, -1, false);
            try (Workload work = new Workload(faulty, OPTIONS, 1)) {
                work.create();
                work.createVolume("a", 1200 << 12, 12);
                work.put("a", true, 1, 2, 600, 1100);
                work.snapshot("a", "s");
                work.put("a", true, 2, 3, 601);
                work.closeJournal();
                work.reopen();
                work.journal().versions().deleteSnapshot(
                        work.journal().versions().snapshot("a", "s").id());
                faulty.failAt(read);
                while (work.drop(1)) {
                    // goes on
                }
                wasHit = faulty.wasHit();
                assertEquals(0, work.journal().versions().dropProgress().waiting(), "read " + read + " failed");
                assertTrue(wasHit || read > 2, read + " reads");
                work.kill();
            }
            faulty.dispose();
        }
    }

    @Test
    void shouldRefuseAPageThatIsWrongOnTheMediumToo() {
        makeStore();
        open(journal -> {
            final long ppn = journal.lookup(journal.volume("a").id(), 1);
            final SegmentTable segments = journal.parts().segments();
            final long position =
                    segments.position(Ppn.segment(ppn)) + Ppn.offsetBytes(ppn);
            final MemorySegment zeros = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(64));
            medium.write(position, zeros);
            device.putIntoCache(position, zeros);
            final StorageException e = assertThrows(
                    StorageException.class,
                    () -> journal.readPage(
                            journal.volume("a").id(), 1, MemorySegment.ofBuffer(ByteBuffer.allocateDirect(4096))));
            assertEquals(ErrorCode.CORRUPT_PAGE, e.code());
            assertTrue(e.getMessage().contains("checksum"), e.getMessage());
        });
        device.dispose();
    }
}
