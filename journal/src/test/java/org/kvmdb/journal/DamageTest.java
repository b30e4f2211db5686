package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * A store file with something changed in it: opening or reading says so by a {@link StorageException}, or all reads are
 * equal to what they were. Never a wrong byte, never another exception.
 */
class DamageTest {

    private static final JournalOptions OPTIONS = Workload.tinyOptions();

    private final SplittableRandom random = new SplittableRandom(7);
    private StoreModel model;
    private int acked;

    /** A small store with a checkpoint, commits since, a stolen page, and a kill at the end or an orderly close. */
    private LogImage image(boolean closed) {
        final KeptDevice device = new KeptDevice(new MemoryDevice("damage"));
        try (Workload work = new Workload(device, OPTIONS, 3)) {
            work.create();
            work.createVolume("a", 32 << 12, 12);
            work.createVolume("b", 8 << 13, 13);
            work.put("a", true, 0, 1, 2, 3);
            work.checkpoint();
            work.put("b", true, 2);
            work.steal("a", 5, 6);
            work.put("a", true, 3, 4);
            work.trim("a", true, 0);
            work.resizeVolume("b", 4 << 13);
            if (closed) {
                work.closeJournal();
            } else {
                work.put("a", true, 9);
                work.kill();
            }
            model = work.model();
            acked = work.acked();
            return LogImage.of(device.medium());
        } finally {
            device.dispose();
        }
    }

    /**
     * Opens and reads all; true when the damage was noticed. The tail behind what is known durable may be cut: after a
     * kill nothing on the medium tells rot there from a write that never came.
     */
    private boolean isNoticed(Device device, JournalOptions options, int ackedAtLeast) {
        try (Journal journal = Journal.open(device, options.withRandom(random.split()))) {
            boolean noticed = false;
            final Map<String, StoreModel.Volume> found = new java.util.TreeMap<>();
            for (VolumeEntry entry : journal.volumes()) {
                final StoreModel.Volume volume =
                        new StoreModel.Volume(entry.sizeBytes(), entry.pageShift(), entry.lsn());
                noticed |= readPages(journal, entry, volume);
                found.put(entry.name(), volume);
            }
            if (!noticed) {
                model.commitOf(found, ackedAtLeast, model.lastCommit());
            }
            return noticed;
        } catch (StorageException e) {
            assertTrue(
                    e.code() == ErrorCode.CORRUPT_STORE
                            || e.code() == ErrorCode.STORE_FULL // of what is left of a file that was cut off
                            || e.code() == ErrorCode.WRONG_MAGIC
                            || e.code() == ErrorCode.TOO_NEW
                            || e.code() == ErrorCode.TOO_OLD,
                    () -> e.code() + ": " + e.getMessage());
            return true;
        }
    }

    private static boolean readPages(Journal journal, VolumeEntry entry, StoreModel.Volume into) {
        boolean bad = false;
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment page = arena.allocate(1L << entry.pageShift(), 64);
            for (long lpn = 0; lpn < entry.pageCount(); lpn++) {
                try {
                    journal.readPage(entry.id(), lpn, page);
                    final long version = PageContent.version(page, entry.familyId(), lpn);
                    if (version != 0) {
                        into.pages.put(lpn, version);
                    }
                } catch (StorageException e) {
                    assertTrue(e.code() == ErrorCode.CORRUPT_PAGE, () -> e.code() + ": " + e.getMessage());
                    bad = true;
                }
            }
        }
        return bad;
    }

    @Test
    void shouldNoticeWhenTheFileIsCutOffAnywhere() {
        final LogImage image = image(true);
        for (long length = 0; length < image.bytes().length; length += 512) {
            try {
                isNoticed(image.device(length), OPTIONS.withMaxSizeBytes((1 << 20) + (64 << 10)), acked);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("cut off at %d: %s".formatted(length, e), e);
            }
        }
    }

    @Test
    void shouldNoticeWhenAStoreThatWasKilledIsCutOffAnywhere() {
        final LogImage image = image(false);
        for (long length = 0; length < image.bytes().length; length += 512) {
            try {
                isNoticed(image.device(length), OPTIONS.withMaxSizeBytes((1 << 20) + (64 << 10)), 0);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("cut off at %d: %s".formatted(length, e), e);
            }
        }
    }

    /** What an attacker writes who can make checksums right: refused or read as it says, never another exception. */
    @Test
    void shouldRefuseHostileFieldsOfTheSuperblock() {
        final LogImage image = image(true);
        for (int field = 8; field < SuperblockDescriptor.RESERVED_OFFSET + 8; field += 2) {
            for (long value : hostile()) {
                final LogImage copy = image.copy();
                for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
                    put(copy.segment(), SuperblockDescriptor.slotOffset(slot) + field, value, field % 8 == 0 ? 8 : field % 4 == 0 ? 4 : 2);
                    copy.sealSuperblock(slot);
                }
                openHostile(copy, "superblock field %d value 0x%x".formatted(field, value));
            }
        }
    }

    @Test
    void shouldRefuseHostileFieldsOfBatchesAndRecords() {
        final LogImage image = image(false);
        int count = 0;
        for (LogImage.Batch batch : image.log()) {
            final MemorySegment header = image.segment().asSlice(batch.position());
            final int recordsAt =
                    BatchDescriptor.HEADER_LENGTH + Fields.intAt(header, BatchDescriptor.BLOCKS_LENGTH_OFFSET);
            final int recordsEnd = recordsAt + Fields.intAt(header, BatchDescriptor.RECORDS_LENGTH_OFFSET);
            for (int field = 4; field < recordsEnd; field += 2) {
                if (field >= BatchDescriptor.HEADER_LENGTH && field < recordsAt) {
                    continue;
                }
                for (long value : hostile()) {
                    final LogImage copy = image.copy();
                    put(copy.segment(), batch.position() + field, value, 2 << random.nextInt(3));
                    copy.sealBatch(batch);
                    openHostile(copy, "batch %s field %d value 0x%x".formatted(batch, field, value));
                    count++;
                }
            }
        }
        System.out.printf("%d hostile batches%n", count);
    }

    private long[] hostile() {
        final List<Long> all = List.of(
                0L, 1L, -1L, Long.MAX_VALUE, Long.MIN_VALUE, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFFL, 4096L, 63L, 1L << 36,
                random.nextLong());
        return random.ints(0, all.size()).distinct().limit(2).mapToLong(i -> all.get(i)).toArray();
    }

    private static void put(MemorySegment target, long at, long value, int width) {
        switch (width) {
            case 2 -> Fields.putShort(target, at, (int) value);
            case 4 -> Fields.putInt(target, at, (int) value);
            default -> Fields.putLong(target, at, value);
        }
    }

    private void openHostile(LogImage image, String what) {
        try (Journal journal = Journal.open(image.device(), OPTIONS.withRandom(random.split()))) {
            for (VolumeEntry entry : journal.volumes()) {
                try (Arena arena = Arena.ofConfined()) {
                    final MemorySegment page = arena.allocate(1L << entry.pageShift(), 64);
                    for (long lpn = 0; lpn < Math.min(40, entry.pageCount()); lpn++) {
                        readHostile(journal, entry, lpn, page);
                    }
                }
            }
        } catch (StorageException e) {
            assertTrue(e.code() != ErrorCode.CLOSED, e.getMessage());
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + ": " + e, e);
        }
    }

    private static void readHostile(Journal journal, VolumeEntry entry, long lpn, MemorySegment page) {
        try {
            journal.readPage(entry.id(), lpn, page);
        } catch (StorageException e) {
            assertTrue(e.code() == ErrorCode.CORRUPT_PAGE, e.getMessage());
        }
    }
}
