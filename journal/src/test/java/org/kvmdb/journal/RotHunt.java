package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.RecordingDevice;

/** Damages what a store left: that is said, by a typed error, or makes no difference. */
final class RotHunt {

    /** Blocks whose bytes are put in the place of others. */
    private static final int MISPLACED_MAX = 40;

    private static final JournalOptions OPTIONS = Workload.tinyOptions();

    private final AtomicLong cases;
    private final StoreModel model;
    private final int acked;
    private final List<RecordingDevice.Event> events;
    private final LogImage image;

    private RotHunt(AtomicLong cases, long seed, Consumer<Workload> steps) {
        this.cases = cases;
        final RecordingDevice device = new RecordingDevice(new MemoryDevice("hunt"));
        try (Workload work = new Workload(device, OPTIONS, seed)) {
            work.create();
            steps.accept(work);
            if (!device.isClosed()) {
                work.kill();
            }
            model = work.model();
            acked = work.acked();
            events = device.events();
            image = LogImage.of(device.medium());
        } finally {
            device.dispose();
        }
    }

    // ---- what is found ----

    /** Opens and reads all; the code of what was said, or null when all reads were right. */
    private ErrorCode openAndRead(LogImage damaged) {
        return openAndRead(damaged, found -> model.commitOf(found, acked, model.lastCommit()));
    }

    private ErrorCode openAndRead(LogImage damaged, Consumer<Map<String, StoreModel.Volume>> oracle) {
        cases.incrementAndGet();
        try (Journal journal = Journal.open(
                damaged.device(), OPTIONS.withReadOnly(true).withRandom(new SplittableRandom(7)))) {
            final Map<String, StoreModel.Volume> found = new TreeMap<>();
            ErrorCode bad = null;
            for (VolumeEntry entry : journal.volumes()) {
                final StoreModel.Volume volume = new StoreModel.Volume(entry.sizeBytes(), entry.pageShift(), entry.lsn());
                bad = readPages(journal, entry, volume) ? ErrorCode.CORRUPT_PAGE : bad;
                found.put(entry.name(), volume);
            }
            if (bad == null) {
                oracle.accept(found);
            }
            return bad;
        } catch (StorageException e) {
            return e.code();
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
                    bad = true;
                }
            }
        }
        return bad;
    }

    private void demand(ErrorCode expected, LogImage damaged, String what) {
        final ErrorCode found = openAndRead(damaged);
        if (found != expected) {
            throw new AssertionError("%s: found %s, where it must be %s"
                    .formatted(what, found == null ? "nothing wrong" : found, expected));
        }
    }

    // ---- damage ----

    /** Each batch that a later one knows durable, or the superblock does: its header, its padding. */
    static void batches(AtomicLong cases, long seed, Consumer<Workload> steps) {
        final RotHunt hunt = new RotHunt(cases, seed, steps);
        final List<LogImage.Batch> log = hunt.image.log();
        final long durable = Math.max(
                hunt.image.superblock().checkpointSequence(),
                log.stream().mapToLong(LogImage.Batch::knownDurable).max().orElse(0));
        for (LogImage.Batch batch : log) {
            if (batch.sequence() <= durable) {
                for (int at : new int[] {BatchDescriptor.FIRST_SEQUENCE_OFFSET, batch.length() - 1}) {
                    final LogImage copy = hunt.image.copy();
                    copy.flip(batch.position() + at, 1);
                    hunt.demand(ErrorCode.CORRUPT_STORE, copy, "byte %d of %s is rotten".formatted(at, batch));
                }
            }
        }
    }

    /** A bit of each page's block: at its begin, in the middle, and the last one, which mostly is padding. */
    static void blocks(AtomicLong cases, long seed, Consumer<Workload> steps) {
        final RotHunt hunt = new RotHunt(cases, seed, steps);
        for (long ppn : hunt.blocks()) {
            final int position = hunt.positionOf(ppn);
            final int length = Ppn.lengthBytes(ppn);
            for (int at : new int[] {40, length / 2, length - 1}) {
                final LogImage copy = hunt.image.copy();
                copy.flip(position + at, 0x40);
                hunt.demand(
                        ErrorCode.CORRUPT_PAGE, copy, "byte %d of block %s is rotten".formatted(at, Ppn.toString(ppn)));
            }
        }
    }

    /** The bytes of a block lie where another one of that length should. */
    static void misplaced(AtomicLong cases, long seed, Consumer<Workload> steps) {
        final RotHunt hunt = new RotHunt(cases, seed, steps);
        final List<Long> blocks = hunt.blocks();
        int count = 0;
        for (long from : blocks) {
            for (long to : blocks) {
                if (from != to && Ppn.lengthBytes(from) == Ppn.lengthBytes(to) && count++ < MISPLACED_MAX) {
                    final LogImage copy = hunt.image.copy();
                    System.arraycopy(
                            copy.bytes(), hunt.positionOf(from), copy.bytes(), hunt.positionOf(to), Ppn.lengthBytes(to));
                    hunt.demand(ErrorCode.CORRUPT_PAGE, copy, "block %s lies where %s should"
                            .formatted(Ppn.toString(from), Ppn.toString(to)));
                }
            }
        }
    }

    private int positionOf(long ppn) {
        return (int) SegmentTable.position(Ppn.segment(ppn), OPTIONS.segmentSizeBytes()) + Ppn.offsetBytes(ppn);
    }

    private List<Long> blocks() {
        final List<Long> result = new ArrayList<>();
        try (Journal journal = Journal.open(image.device(), OPTIONS.withReadOnly(true))) {
            journal.volumes().forEach(volume -> journal.forEachMapped(volume.id(), (lpn, ppn) -> result.add(ppn)));
        }
        return result;
    }

    /** Each unit as it was any time before: a write that was lost. */
    static void stale(AtomicLong cases, long seed, Consumer<Workload> steps) {
        final RotHunt hunt = new RotHunt(cases, seed, steps);
        for (Map.Entry<Integer, List<byte[]>> unit : hunt.history().entrySet()) {
            for (byte[] before : unit.getValue()) {
                final LogImage copy = hunt.image.copy();
                System.arraycopy(before, 0, copy.bytes(), unit.getKey(), before.length);
                try {
                    hunt.openAndRead(copy);
                } catch (AssertionError e) {
                    throw new AssertionError("unit at %d is an old one: %s".formatted(unit.getKey(), e.getMessage()), e);
                }
            }
        }
    }

    /** What units held once that hold something else now, by position. */
    private Map<Integer, List<byte[]>> history() {
        final Map<Integer, List<byte[]>> result = new TreeMap<>();
        for (RecordingDevice.Event event : events) {
            for (int at = 0; event.kind() == RecordingDevice.Kind.WRITE && at < event.bytes().length; at += 4096) {
                final int position = (int) event.position() + at;
                final byte[] unit = Arrays.copyOfRange(event.bytes(), at, at + 4096);
                if (position >= SuperblockDescriptor.SEGMENTS_OFFSET
                        && MemorySegment.ofArray(unit).mismatch(image.segment().asSlice(position, 4096)) >= 0) {
                    result.computeIfAbsent(position, key -> new ArrayList<>()).add(unit);
                }
            }
        }
        return result;
    }

    /** Each block of a page or node as it was at some time before, and elsewhere: a write that came too late, or not there. */
    static void older(AtomicLong cases, long seed, Consumer<Workload> steps) {
        final RotHunt hunt = new RotHunt(cases, seed, steps);
        final Map<String, Map<Long, byte[]>> written = hunt.blocksWritten();
        for (Map<Long, byte[]> versions : written.values()) {
            final List<Long> places = List.copyOf(versions.keySet());
            final long newest = places.getLast();
            for (long place : places) {
                final byte[] before = versions.get(place);
                if (place != newest && before.length == versions.get(newest).length) {
                    final LogImage copy = hunt.image.copy();
                    System.arraycopy(before, 0, copy.bytes(), (int) newest, before.length);
                    try {
                        hunt.openAndRead(copy);
                    } catch (AssertionError e) {
                        throw new AssertionError("the block at %d is an older one: %s".formatted(newest, e.getMessage()), e);
                    }
                }
            }
        }
    }

    /** All blocks that were ever written: by what they are of, and then by their position, in the order of their writing. */
    private Map<String, Map<Long, byte[]>> blocksWritten() {
        final Map<String, Map<Long, byte[]>> result = new TreeMap<>();
        for (RecordingDevice.Event event : events) {
            if (event.kind() == RecordingDevice.Kind.WRITE && event.position() >= SuperblockDescriptor.SEGMENTS_OFFSET) {
                addBlocks(event, result);
            }
        }
        return result;
    }

    private static void addBlocks(RecordingDevice.Event event, Map<String, Map<Long, byte[]>> into) {
        final MemorySegment batch = MemorySegment.ofArray(event.bytes());
        final int recordsAt = BatchDescriptor.HEADER_LENGTH + Fields.intAt(batch, BatchDescriptor.BLOCKS_LENGTH_OFFSET);
        int record = recordsAt;
        int block = BatchDescriptor.HEADER_LENGTH;
        while (block < recordsAt) {
            final int kind = Fields.byteAt(batch, record + RecordDescriptor.KIND_OFFSET);
            final int length = Fields.shortAt(batch, record + RecordDescriptor.LENGTH_OFFSET);
            if (kind == RecordDescriptor.KIND_PAGE || kind == RecordDescriptor.KIND_BLOCK) {
                final String whose = "%d %d %d %d".formatted(
                        kind,
                        kind == RecordDescriptor.KIND_PAGE ? 0 : Fields.byteAt(batch, record + RecordDescriptor.INFO_OFFSET),
                        Fields.intAt(batch, record + RecordDescriptor.VOLUME_OFFSET),
                        Fields.longAt(batch, record + RecordDescriptor.FIRST_OFFSET));
                final Map<Long, byte[]> places = into.computeIfAbsent(whose, key -> new LinkedHashMap<>());
                places.remove(event.position() + block);
                places.put(
                        event.position() + block, Arrays.copyOfRange(event.bytes(), block, block + length * Ppn.UNIT_BYTES));
                block += length * Ppn.UNIT_BYTES;
            }
            record += RecordDescriptor.LENGTH
                    + (RecordDescriptor.hasTail(kind) ? RecordDescriptor.tailLengthPadded(length) : 0);
        }
    }

    /** The newest superblock's copies are those of a generation before: the writes of a whole pair were lost. */
    static void superblock(AtomicLong cases, long seed, Consumer<Workload> steps) {
        final RotHunt hunt = new RotHunt(cases, seed, steps);
        final Map<Long, List<byte[]>> slots = new HashMap<>();
        hunt.events.stream()
                .filter(event -> event.kind() == RecordingDevice.Kind.WRITE
                        && event.position() < SuperblockDescriptor.SEGMENTS_OFFSET)
                .forEach(event -> slots.computeIfAbsent(event.position(), key -> new ArrayList<>()).add(event.bytes()));
        final LogImage copy = hunt.image.copy();
        final int pair = (int) (hunt.image.superblock().generation() % 2);
        for (int slot = pair; slot < SuperblockDescriptor.SLOT_COUNT; slot += 2) {
            final long position = SuperblockDescriptor.slotOffset(slot);
            final List<byte[]> written = slots.get(position);
            final byte[] before = written.get(written.size() - 2);
            System.arraycopy(before, 0, copy.bytes(), (int) position, before.length);
        }
        hunt.demand(ErrorCode.CORRUPT_STORE, copy, "both copies of the newest superblock are old ones");
    }

    /**
     * Two futures of one store, written to copies of it, of which one lost a batch and the other's is there: what follows
     * that batch is not its sequel.
     */
    static void fork(AtomicLong cases, long seed, Consumer<Workload> steps, Consumer<Workload> one, Consumer<Workload> other) {
        final RotHunt first = new RotHunt(cases, seed, steps.andThen(one));
        final RotHunt second = new RotHunt(cases, seed, steps.andThen(other));
        final Map<Long, LogImage.Batch> sequel = new HashMap<>();
        second.image.log().forEach(batch -> sequel.put(batch.sequence(), batch));
        for (LogImage.Batch batch : first.image.log()) {
            final LogImage.Batch instead = sequel.get(batch.sequence());
            if (instead != null && instead.position() == batch.position() && instead.length() == batch.length()) {
                final LogImage copy = first.image.copy();
                System.arraycopy(second.image.bytes(), batch.position(), copy.bytes(), batch.position(), batch.length());
                first.openAndRead(copy, found -> first.demandStateOfEither(second, found));
            }
        }
    }

    private void demandStateOfEither(RotHunt other, Map<String, StoreModel.Volume> found) {
        for (int commit = 0; commit <= model.lastCommit(); commit++) {
            if (model.state(commit).equals(found) || other.model.state(commit).equals(found)) {
                return;
            }
        }
        throw new AssertionError("recovered a mixture of two stores: " + found);
    }

    /** The last batch with data, of a store that was idle since and then killed. */
    static void lastBatch(AtomicLong cases, long seed, Consumer<Workload> steps) {
        final RotHunt hunt = new RotHunt(cases, seed, steps);
        final LogImage.Batch last = hunt.image.log().stream()
                .filter(batch -> (batch.flags() & BatchDescriptor.FLAG_COMMIT) != 0)
                .reduce((one, other) -> other)
                .orElseThrow();
        final LogImage copy = hunt.image.copy();
        copy.flip(last.position() + BatchDescriptor.FIRST_SEQUENCE_OFFSET, 1);
        hunt.demand(ErrorCode.CORRUPT_STORE, copy, "the last commit is rotten");
    }
}
