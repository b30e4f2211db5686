package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.Ppn;

/**
 * Rolls the map forward over the log since the checkpoint. In order:
 *
 * <ol>
 *   <li><b>scan</b> from the superblock's position, batch by batch, while sequence and digest chain hold, reading only
 *       headers and records. The scan ends at the first missing batch.
 *   <li><b>judge</b> that end: it is a torn tail unless a later batch, in this segment or in the reserved successors,
 *       records that the missing batch was durable. Then acknowledged data are damaged, and the store is corrupt.
 *   <li><b>settle</b>: the blocks of batches that are not known to be durable are verified, and the tail is cut at the
 *       first bad block. The accepted batches are written again unchanged, and flushed.
 *   <li><b>apply</b> the records of complete commits.
 * </ol>
 */
final class Recovery {

    private static final int UNIT = BatchDescriptor.UNIT_BYTES;

    /** What the search for later batches may walk through; a chain of reservations is never longer than the store. */
    private record Place(int segment, int generation, long salt) {}

    private final Device device;
    private final SegmentTable segments;
    private final PageMap map;
    private final Catalog catalog;
    private final CatalogReplay catalogReplay;
    private final Counters counters;
    private final Superblock superblock;
    private final BatchParser parser;
    private final BlockSeal seal = new BlockSeal();

    /** Batches between two drains: memory stays small however long the log is. */
    private static final int DRAIN_BATCHES = 1024;

    private final List<ScannedBatch> batches = new ArrayList<>();
    private final List<ScannedBatch> group = new ArrayList<>();
    private ScannedBatch lastDrained;
    private final Map<Integer, Long> families = new HashMap<>();
    private LogPosition end;
    private Place successor;
    private long knownDurable;
    private boolean closedInOrder;

    Recovery(JournalParts parts, Superblock superblock) {
        this.device = parts.device();
        this.segments = parts.segments();
        this.map = parts.map();
        this.catalog = parts.catalog();
        this.catalogReplay = new CatalogReplay(catalog, map);
        this.counters = parts.counters();
        this.superblock = superblock;
        parser = new BatchParser(device, segments, superblock.storeId());
        catalog.versions().forEach(version -> families.put(version.id(), version.familyId()));
    }

    /** Runs it; writes nothing when the store is open read-only. */
    void run(boolean readOnly) {
        try (parser) {
            scan(readOnly);
            judgeEnd();
            settle(readOnly);
            final ScannedBatch last = batches.isEmpty() ? lastDrained : batches.getLast();
            closedInOrder = last != null && last.has(BatchDescriptor.FLAG_CLOSED) && counters.batchesCut == 0;
            batches.forEach(this::apply);
            counters.batchesReplayed += batches.size();
        }
    }

    /** Where the next batch goes, when the log was closed in order. */
    LogPosition end() {
        return end;
    }

    /** The batches that were accepted, of a store that is open read-only. */
    List<ScannedBatch> batches() {
        return batches;
    }

    /** Family of a volume that exists or existed since the checkpoint, or null. */
    Long family(int volumeId) {
        return families.get(volumeId);
    }

    /** Whether the log ends with the mark of a store that was closed: it can go on right there. */
    boolean isClosedInOrder() {
        return closedInOrder;
    }

    // ---- scan ----

    /** Applies what is known durable as it goes, for no end of the log can take that back; unless all is to be kept. */
    private void scan(boolean keepAll) {
        final LogPosition from = superblock.log();
        int segment = from.segment();
        int generation = from.generation();
        long salt = from.salt();
        int offset = from.offset();
        long sequence = from.sequence();
        long digest = from.digest();
        knownDurable = Math.max(sequence - 1, superblock.checkpointSequence());
        enter(segment, generation, salt);
        while (offset < segments.segmentSizeBytes()) {
            ScannedBatch batch = parser.parseTwice(segment, generation, salt, offset);
            if (batch != null && !isNext(batch, sequence, digest)) {
                parser.forget();
                batch = parser.parse(segment, generation, salt, offset);
            }
            if (batch == null || !isNext(batch, sequence, digest)) {
                break;
            }
            checkGeneration(batch);
            batches.add(batch);
            noteFamilies(batch);
            knownDurable = Math.max(knownDurable, batch.knownDurable());
            successor = successorOf(batch);
            if (!keepAll && batches.size() >= DRAIN_BATCHES) {
                drain();
            }
            sequence++;
            digest = batch.digest();
            offset += batch.length();
            if (batch.has(BatchDescriptor.FLAG_SEGMENT_END)) {
                if (successor == null) {
                    throw Corrupt.store("batch %d ends segment %d and names no next".formatted(batch.sequence(), segment));
                }
                segment = successor.segment;
                generation = successor.generation;
                salt = successor.salt;
                offset = 0;
                if (segment >= segments.count() && segment < segments.capacity()) {
                    break; // the device grew, and a crash came before its new size was durable: nothing is there
                }
                enter(segment, generation, salt);
            }
        }
        end = new LogPosition(segment, generation, salt, offset, sequence, digest);
    }

    private static boolean isNext(ScannedBatch batch, long sequence, long digest) {
        return batch.sequence() == sequence && batch.previousDigest() == digest;
    }

    /**
     * The log was in this segment since the checkpoint: it is in use, with this identity. The checkpoint's table may say so
     * already, since commits and the checkpoint's own batches go on between the cut and the table.
     */
    private void enter(int segment, int generation, long salt) {
        if (segment < 0 || segment >= segments.count()) {
            throw Corrupt.store("log goes on in segment %d of %d".formatted(segment, segments.count()));
        }
        final SegmentState state = segments.state(segment);
        // The table is as of the checkpoint's end: the log may have gone through this segment since its cut.
        final boolean isKnown = generation == segments.generation(segment) && salt == segments.salt(segment);
        final boolean isNew = (state == SegmentState.FREE || state == SegmentState.RESERVED)
                && generation - segments.generation(segment) >= 0;
        if (!isKnown && !isNew) {
            throw Corrupt.store("log goes on in segment %d of generation %d, which is %s with generation %d"
                    .formatted(segment, generation, state, segments.generation(segment)));
        }
        segments.identity(segment, generation, salt);
        segments.state(segment, SegmentState.FULL);
        segments.markWritten(segment);
    }

    private void checkGeneration(ScannedBatch batch) {
        if (batch.checkpointGeneration() > superblock.generation()) {
            throw Corrupt.store("batch %d was written under superblock generation %d, the newest readable is %d"
                    .formatted(batch.sequence(), batch.checkpointGeneration(), superblock.generation()));
        }
    }

    private static Place successorOf(ScannedBatch batch) {
        return batch.nextSegment() == BatchDescriptor.NO_SEGMENT
                ? null
                : new Place(batch.nextSegment(), batch.nextGeneration(), batch.nextSalt());
    }

    /** Only records with a tail name families: batches of pages alone are not walked for this. */
    private void noteFamilies(ScannedBatch batch) {
        if (batch.recordsLength() == (long) batch.recordCount() * RecordDescriptor.LENGTH) {
            return;
        }
        Records.forEach(batch, record -> {
            if (record.kind() == RecordDescriptor.KIND_VOLUME_CREATE) {
                families.put(record.volume(), record.second());
            } else if (record.kind() == RecordDescriptor.KIND_SNAPSHOT_CREATE) {
                noteFamily(record.tailInt(SnapshotTailDescriptor.SNAPSHOT_ID_OFFSET), record.volume());
            } else if (record.kind() == RecordDescriptor.KIND_CLONE) {
                noteFamily(record.volume(), (int) record.first());
            }
        });
    }

    private void noteFamily(int id, int relative) {
        final Long family = families.get(relative);
        if (family != null) {
            families.put(id, family);
        }
    }

    // ---- judge ----

    /** Looks for batches behind the end: one that knows the missing batch to have been durable makes it rot. */
    private void judgeEnd() {
        if (end.sequence() <= knownDurable) {
            throw Corrupt.store("batch %d is missing or damaged at segment %d offset %d, yet the superblock knows %d to have been durable"
                    .formatted(end.sequence(), end.segment(), end.offset(), knownDurable));
        }
        final Place named = searchSegment(new Place(end.segment(), end.generation(), end.salt()), end.offset());
        // What is found behind the end names the next segment; the last good batch may do so from the segment before.
        Place place = named == null ? successor : named;
        for (int i = 0; place != null && i < segments.count(); i++) {
            final boolean possible = place.segment >= 0
                    && place.segment < segments.count()
                    && (place.segment != end.segment() || place.generation != end.generation());
            place = possible ? searchSegment(place, 0) : null;
        }
    }

    /** Returns the successor that the last batch found names, or null when none was found. */
    private Place searchSegment(Place place, int fromOffset) {
        Place next = null;
        for (int offset = fromOffset; offset < segments.segmentSizeBytes(); ) {
            final ScannedBatch later = parser.parse(place.segment, place.generation, place.salt, offset);
            if (later == null || later.sequence() < end.sequence()) {
                offset += UNIT;
                continue;
            }
            checkGeneration(later);
            if (later.knownDurable() >= end.sequence()) {
                throw Corrupt.store(("batch %d is missing or damaged at segment %d offset %d, yet batch %d knows it to have"
                                + " been durable")
                        .formatted(end.sequence(), end.segment(), end.offset(), later.sequence()));
            }
            counters.batchesCut++;
            next = successorOf(later);
            offset += later.length();
        }
        return next;
    }

    // ---- settle ----

    /**
     * Cuts the tail at the first batch that is not known to be durable and whose blocks do not verify. Recovered is not durable: what
     * of the tail does verify may lie in the system's cache alone, and is written again as it is, and flushed; the mark of an
     * orderly close, too, since a process that is killed has not flushed it.
     */
    private void settle(boolean readOnly) {
        boolean written = false;
        for (int i = 0; i < batches.size(); i++) {
            final ScannedBatch batch = batches.get(i);
            if (batch.sequence() <= knownDurable) {
                continue;
            }
            final MemorySegment bytes = verifiedTwice(batch);
            if (bytes == null) {
                cut(i);
            } else if (!readOnly) {
                device.write(segments.position(batch.segment()) + batch.offset(), bytes);
                counters.batchesRewritten++;
                written = true;
            }
        }
        if (written) {
            device.flush();
        }
    }

    private void cut(int first) {
        final ScannedBatch batch = batches.get(first);
        counters.batchesCut += batches.size() - first;
        batches.subList(first, batches.size()).clear();
        final ScannedBatch last = first == 0 ? lastDrained : batches.get(first - 1);
        end = new LogPosition(
                batch.segment(), segments.generation(batch.segment()), segments.salt(batch.segment()),
                batch.offset(), batch.sequence(), last == null ? superblock.log().digest() : last.digest());
    }

    /** What does not verify is read again: a read that was wrong once must not cut the log. */
    private MemorySegment verifiedTwice(ScannedBatch batch) {
        final MemorySegment bytes = verified(batch);
        if (bytes != null) {
            return bytes;
        }
        parser.forget();
        return verified(batch);
    }

    /** The bytes of a batch, or null when not all of its blocks are what they must be. */
    private MemorySegment verified(ScannedBatch batch) {
        final MemorySegment bytes = asScanned(batch);
        return blocksVerify(batch) ? bytes : null;
    }

    /**
     * The batch lies in the parser's window as a whole, so that what is looked at is what is written again: good bytes must not
     * be overwritten by what a bad read returned.
     */
    private MemorySegment asScanned(ScannedBatch batch) {
        for (int i = 0; i < 2; i++) {
            final MemorySegment bytes = parser.view(batch.segment(), batch.offset(), batch.length());
            final ScannedBatch again = bytes == null
                    ? null
                    : parser.parse(
                            batch.segment(), segments.generation(batch.segment()), segments.salt(batch.segment()),
                            batch.offset());
            if (again != null && again.digest() == batch.digest()) {
                return bytes;
            }
            parser.forget();
        }
        throw Corrupt.store("batch %d cannot be read again at segment %d offset %d"
                .formatted(batch.sequence(), batch.segment(), batch.offset()));
    }

    /** Whether the blocks fill their part of the batch, one after the other, each with the checksum that it must have. */
    private boolean blocksVerify(ScannedBatch batch) {
        final boolean[] good = {true};
        final long[] expectedOffset = {batch.offset() + BatchDescriptor.HEADER_LENGTH};
        Records.forEach(batch, record -> {
            final boolean hasBlock =
                    record.kind() == RecordDescriptor.KIND_PAGE || record.kind() == RecordDescriptor.KIND_BLOCK;
            if (hasBlock && good[0]) {
                good[0] = record.offsetBytes() == expectedOffset[0] && blockVerifies(batch, record);
                expectedOffset[0] += record.blockLength();
            }
        });
        return good[0] && expectedOffset[0] == batch.offset() + batch.recordsOffset();
    }

    private boolean blockVerifies(ScannedBatch batch, Records.Entry record) {
        final Long family = record.kind() == RecordDescriptor.KIND_BLOCK
                ? Long.valueOf(NodeIdentity.family(record.info(), record.volume()))
                : families.get(record.volume());
        final long ppn = record.blockPpn(batch);
        if (family == null || ppn == 0) {
            return false;
        }
        final MemorySegment block = parser.view(batch.segment(), Ppn.offsetBytes(ppn), Ppn.lengthBytes(ppn));
        if (block == null) {
            return false;
        }
        final int crc = seal.crc(
                block, segments.salt(batch.segment()), segments.generation(batch.segment()),
                ppn, record.first(), family);
        return crc == record.blockCrc() && crc == Fields.intAt(block, BlockDescriptor.CRC_OFFSET);
    }

    // ---- apply ----

    /** Records apply when the batch with COMMIT is reached; a group that another one follows without it never does. */
    private void apply(ScannedBatch batch) {
        if (!group.isEmpty() && group.getFirst().firstSequence() != batch.firstSequence()) {
            group.clear();
        }
        group.add(batch);
        if (batch.has(BatchDescriptor.FLAG_COMMIT)) {
            group.forEach(this::applyRecords);
            group.clear();
        }
    }

    private void drain() {
        int count = 0;
        while (count < batches.size() && batches.get(count).sequence() <= knownDurable) {
            lastDrained = batches.get(count++);
            apply(lastDrained);
        }
        batches.subList(0, count).clear();
        counters.batchesReplayed += count;
    }

    private void applyRecords(ScannedBatch batch) {
        Records.forEach(batch, record -> {
            counters.recordsReplayed++;
            switch (record.kind()) {
                case RecordDescriptor.KIND_PAGE -> {
                    setPage(record, ppnOf(batch, record));
                    segments.ages().wrote(batch.segment(), record.blockLength());
                }
                case RecordDescriptor.KIND_REFERENCE -> setPage(record, record.second());
                case RecordDescriptor.KIND_TRIM -> trim(record);
                case RecordDescriptor.KIND_SEGMENT -> enterMoved(record);
                case RecordDescriptor.KIND_MOVE -> move(record);
                case RecordDescriptor.KIND_REMAP -> remap(record);
                case RecordDescriptor.KIND_LSN -> catalogReplay.volumeOf(record).lsn(record.first());
                default -> {
                    if (!catalogReplay.apply(record)) {
                        throw Corrupt.store(
                                "batch %d holds a record of kind %d".formatted(batch.sequence(), record.kind()));
                    }
                }
            }
        });
    }

    private static long ppnOf(ScannedBatch batch, Records.Entry record) {
        final long ppn = record.blockPpn(batch);
        if (ppn == 0) {
            throw Corrupt.store("batch %d has no block of %d bytes at %d"
                    .formatted(batch.sequence(), record.blockLength(), record.offsetBytes()));
        }
        return ppn;
    }

    private void setPage(Records.Entry record, long ppn) {
        final VolumeEntry volume = catalogReplay.volumeOf(record);
        if (record.first() < 0 || record.first() >= volume.pageCount() || !segments.isPlausible(ppn)) {
            throw Corrupt.store("a record is impossible: volume=%s lpn=%d ppn=%s"
                    .formatted(volume.name(), record.first(), Ppn.toString(ppn)));
        }
        map.set(volume, record.first(), ppn);
    }

    /** A segment beside the log that blocks were moved to. */
    private void enterMoved(Records.Entry record) {
        final int generation = (int) record.second();
        if (!SegmentAges.isTime(record.third())) {
            throw Corrupt.store("a record says that segment %d was written at %d".formatted(record.volume(), record.third()));
        }
        enter(record.volume(), generation, record.first());
        segments.ages().load(record.volume(), record.third());
    }

    private void move(Records.Entry record) {
        final VolumeEntry volume = catalogReplay.volumeOf(record);
        if (record.first() < 0
                || record.first() >= volume.pageCount()
                || !segments.isPlausible(record.second())
                || !map.move(volume, record.first(), record.third(), record.second())) {
            throw Corrupt.store("a record moves a block that is not there: volume=%s lpn=%d from=%s to=%s"
                    .formatted(volume.name(), record.first(), Ppn.toString(record.third()), Ppn.toString(record.second())));
        }
    }

    private void remap(Records.Entry record) {
        if (!segments.isPlausible(record.first())
                || !segments.isPlausible(record.second())
                || Ppn.lengthBytes(record.first()) != Ppn.lengthBytes(record.second())) {
            throw Corrupt.store("a record moves block %s to %s, which cannot be"
                    .formatted(Ppn.toString(record.first()), Ppn.toString(record.second())));
        }
        segments.remap(record.first(), record.second());
    }

    private void trim(Records.Entry record) {
        final VolumeEntry volume = catalogReplay.volumeOf(record);
        final long first = record.first();
        final long count = record.second();
        if (first < 0 || count < 0 || first > volume.pageCount() - count) {
            throw Corrupt.store("a record trims pages %d to %d of volume %s".formatted(first, first + count, volume.name()));
        }
        map.trim(volume, first, first + count);
    }
}
