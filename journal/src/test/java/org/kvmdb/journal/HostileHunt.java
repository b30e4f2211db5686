package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * Stores that say what cannot be, with all checksums right, as an enemy would write them: opening and reading refuses them with
 * a typed error, or shows what they say, and does nothing else.
 */
final class HostileHunt {

    private static final JournalOptions OPTIONS = Workload.tinyOptions();
    private static final int PAGES_READ_MAX = 40;

    private HostileHunt() {}

    private static long[] range(int from, int count) {
        return LongStream.range(from, from + count).toArray();
    }

    // ---- the store that is forged ----

    /** A store whose log has records of every kind, all of them known to be durable; or nothing since its checkpoint. */
    private static LogImage image(boolean closed) {
        final KeptDevice device = new KeptDevice(new MemoryDevice("hostile"));
        try (Workload work = new Workload(device, OPTIONS, 3)) {
            work.create();
            work.createVolume("a", 1200L << 12, 12);
            work.put("a", true, range(0, 20));
            work.put("a", true, range(600, 4));
            work.snapshot("a", "s");
            work.put("a", true, range(0, 20));
            work.checkpoint();
            records(work);
            if (closed) {
                work.checkpoint();
                work.clean(4);
                work.drop(1);
                work.checkpoint();
                work.closeJournal();
            } else {
                work.put("a", true, 9);
                work.put("a", true, 9);
                work.kill();
            }
            return LogImage.of(device.medium());
        } finally {
            device.dispose();
        }
    }

    private static void records(Workload work) {
        work.createVolume("b", 8 << 13, 13);
        work.clean(4);
        work.cloneSnapshot("a@s", StoreModel.nameFrom(work.journal().versions().snapshot("a", "s"), "c"));
        work.journal().versions().quota(work.journal().volume("b").id(), 1 << 20);
        work.steal("a", 5, 6);
        work.put("a", true, 3, 4);
        work.trim("a", true, 0);
        work.resizeVolume("b", 4 << 13);
        work.sendAndReceive("a@s", "r");
        work.snapshot("a", "t");
        work.rollbackTo("a", "a@s");
        work.deleteSnapshot("a@t");
        work.createVolume("d", 8 << 13, 13);
        work.deleteVolume("d");
    }

    // ---- what must hold ----

    private static void open(Device device, boolean readOnly, String what) {
        try (Journal journal = Journal.open(
                        device, OPTIONS.withReadOnly(readOnly).withRandom(new SplittableRandom(3)));
                Arena arena = Arena.ofConfined()) {
            for (Version version : journal.versions().all()) {
                readSome(journal, version, arena.allocate(1L << version.pageShift(), 64));
            }
            for (int i = 0; !readOnly && i < 3; i++) {
                journal.versions().dropStep(50);
            }
        } catch (StorageException e) {
            // Refused: as good as any.
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("%s: %s at %s".formatted(what, e, e.getStackTrace()[0]), e);
        }
    }

    private static void readSome(Journal journal, Version version, MemorySegment page) {
        for (long lpn = 0; !version.isDeleted() && lpn < Math.min(PAGES_READ_MAX, version.pageCount()); lpn++) {
            try {
                journal.versions().readPage(version, lpn, page);
            } catch (StorageException e) {
                return;
            }
        }
    }

    // ---- forgeries ----

    private static void put(MemorySegment target, long at, long value, int width) {
        switch (width) {
            case 1 -> Fields.putByte(target, at, (int) value);
            case 2 -> Fields.putShort(target, at, (int) value);
            case 4 -> Fields.putInt(target, at, (int) value);
            default -> Fields.putLong(target, at, value);
        }
    }

    /** What a field of that width could be made to say. */
    private static List<Long> values(MemorySegment source, long at, int width) {
        final long now = switch (width) {
            case 1 -> Fields.byteAt(source, at);
            case 2 -> Fields.shortAt(source, at);
            case 4 -> Fields.intAt(source, at);
            default -> Fields.longAt(source, at);
        };
        final List<Long> result = new ArrayList<>(List.of(
                0L, 1L, 2L, now + 1, now - 1, -1L, 1L << 12, (1L << 8 * width - 1) - 1, 1L << 8 * width - 1,
                now ^ 1L << 8 * width - 4));
        result.removeIf(value -> value == now);
        return result;
    }

    /** Every field of every batch that the log has since its checkpoint, header and records, is something else in turn. */
    static void batches(AtomicLong cases, long seed, int oneIn) {
        final SplittableRandom random = new SplittableRandom(seed);
        final LogImage image = image(false);
        for (LogImage.Batch batch : image.log()) {
            final MemorySegment header = image.segment().asSlice(batch.position());
            final int recordsAt =
                    BatchDescriptor.HEADER_LENGTH + Fields.intAt(header, BatchDescriptor.BLOCKS_LENGTH_OFFSET);
            final int recordsEnd = recordsAt + Fields.intAt(header, BatchDescriptor.RECORDS_LENGTH_OFFSET);
            for (int at = 4; at < recordsEnd; at = at + 4 == BatchDescriptor.HEADER_LENGTH ? recordsAt : at + 4) {
                for (int width = at % 8 == 0 ? 8 : 4; width > 0; width /= 2) {
                    for (long value : values(header, at, width)) {
                        if (random.nextInt(oneIn) == 0) {
                            cases.incrementAndGet();
                            final LogImage copy = image.copy();
                            put(copy.segment(), batch.position() + at, value, width);
                            copy.sealBatch(batch);
                            open(copy.device(), random.nextInt(8) != 0, "%s, field %d of width %d is %d".formatted(batch, at, width, value));
                        }
                    }
                }
            }
        }
    }

    /** Every field of the superblock: in all copies, or in those of the newest. */
    static void superblocks(AtomicLong cases, long seed) {
        final LogImage image = image(true);
        final int pair = (int) (image.superblock().generation() % 2);
        for (int at = 8; at < SuperblockDescriptor.RESERVED_OFFSET + 8; at += 4) {
            for (int width = at % 8 == 0 ? 8 : 4; width > 1; width /= 2) {
                final MemorySegment newest = image.segment().asSlice(SuperblockDescriptor.slotOffset(pair));
                for (long value : values(newest, at, width)) {
                    for (int step = 1; step <= 4; step *= 2) {
                        cases.incrementAndGet();
                        final LogImage copy = image.copy();
                        for (int slot = step == 1 ? 0 : pair; slot < SuperblockDescriptor.SLOT_COUNT; slot += step) {
                            put(copy.segment(), SuperblockDescriptor.slotOffset(slot) + at, value, width);
                            copy.sealSuperblock(slot);
                        }
                        open(copy.device(), true, "superblock field %d of width %d is %d, step %d".formatted(at, width, value, step));
                    }
                }
            }
        }
    }

    /** Every field of what a checkpoint says: the root of its metadata, catalog and segment table, map nodes. */
    static void checkpoints(AtomicLong cases, long seed, int oneIn) {
        final SplittableRandom random = new SplittableRandom(seed);
        final LogImage image = image(true);
        final List<MemorySegment> pages = new ArrayList<>();
        final List<Integer> types = new ArrayList<>();
        checkpoint(image, (type, page) -> {
            types.add((int) type);
            pages.add(MemorySegment.ofArray(page.toArray(ValueLayout.JAVA_BYTE)));
        });
        for (int i = 0; i < pages.size(); i++) {
            final MemorySegment page = pages.get(i);
            final int number = i;
            for (long at = 0; at < page.byteSize(); at += 4) {
                final boolean isUsed = Fields.intAt(page, at) != 0;
                for (int width = at % 8 == 0 ? 8 : 4; width > 0; width /= 2) {
                    for (long value : values(page, at, width)) {
                        final boolean isNode = types.get(i) == BlockDescriptor.TYPE_MAP_NODE;
                        if (random.nextInt(isUsed ? (isNode ? 4 : 1) * oneIn : 1000 * oneIn) == 0) {
                            final long offset = at;
                            final int bytes = width;
                            final LogImage forged = checkpoint(image, new Lie() {
                                private int count;

                                @Override
                                public void tell(byte type, MemorySegment target) {
                                    if (count++ == number) {
                                        put(target, offset, value, bytes);
                                    }
                                }
                            });
                            cases.incrementAndGet();
                            open(forged.device(), random.nextInt(8) != 0, "block %d of a checkpoint, type %d, field %d of width %d is %d"
                                    .formatted(number, types.get(number), offset, bytes, value));
                        }
                    }
                }
            }
        }
    }

    /** What is to be encoded, before it is. */
    interface Lie {
        void tell(byte type, MemorySegment page);
    }

    /** The store after one more checkpoint, which lies. */
    private static LogImage checkpoint(LogImage image, Lie lie) {
        final KeptDevice device = new KeptDevice(image.device());
        try (Journal journal = Journal.open(device, OPTIONS.withRandom(new SplittableRandom(3)))) {
            for (VolumeEntry volume : journal.volumes()) {
                journal.parts().map().trim(volume, 3, 4); // something for the checkpoint to write
            }
            PlantedCode.lying(lie, journal::checkpoint);
            journal.kill();
            return LogImage.of(device.medium());
        } finally {
            device.dispose();
        }
    }

    /** What a shorter device leaves of a store. */
    static void cutOff(AtomicLong cases) {
        final LogImage image = image(true);
        for (long length = 0; length < image.bytes().length; length += 2048) {
            cases.incrementAndGet();
            open(image.device(length), true, "cut off at " + length);
        }
    }
}
