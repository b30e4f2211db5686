package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Writes at the end of the log: packs blocks and records into batches and writes these, segment after segment. Single
 * writer (the append lock). A batch is built in one buffer and written by one device write. Blocks get their checksum
 * here, because their place is not known earlier.
 *
 * <p>A <em>group</em> consists of everything appended between {@link #beginGroup} and {@link #endGroup}: a commit,
 * stolen pages, a piece of a checkpoint. Its batches carry the sequence of its first batch, so that records of an
 * abandoned group are never applied with a later group.
 */
final class LogWriter implements AutoCloseable {

    private final Device device;
    private final SegmentTable segments;
    private final Failure failure;
    private final Counters counters;
    private final long storeId;
    private final long secret;
    private final long session;
    private final Digests digests = new Digests();
    private final BatchBuffer batch = new BatchBuffer(BatchDescriptor.LENGTH_MAX);

    private int segment;
    private int offset;
    private long sequence;
    private long digest;
    private long durableSequence;
    private long statedDurable;
    private long lastDataSequence;
    private int next = BatchDescriptor.NO_SEGMENT;
    private long checkpointGeneration;

    private long firstSequence;
    private SpaceClaim claim;

    LogWriter(Device device, SegmentTable segments, Failure failure, Counters counters, long storeId, long secret,
            long session) {
        this.device = device;
        this.segments = segments;
        this.failure = failure;
        this.counters = counters;
        this.storeId = storeId;
        this.secret = secret;
        this.session = session;
    }

    /** Goes on where a log ended in order. */
    void resume(LogPosition position, long durable, long superblockGeneration) {
        segment = position.segment();
        offset = position.offset();
        sequence = position.sequence();
        digest = position.digest();
        durableSequence = durable;
        statedDurable = durable;
        lastDataSequence = durable;
        checkpointGeneration = superblockGeneration;
        segments.state(segment, SegmentState.OPEN);
    }

    /** Goes on in a segment that this takes for it. */
    void resumeInNewSegment(long nextSequence, long lastDigest, long durable, long superblockGeneration) {
        digest = lastDigest;
        sequence = nextSequence;
        final int taken = takeSegment();
        if (taken < 0) {
            throw storeFull();
        }
        resume(
                new LogPosition(taken, segments.generation(taken), segments.salt(taken), 0, nextSequence, lastDigest),
                durable,
                superblockGeneration);
    }

    LogPosition position() {
        return new LogPosition(
                segment, segments.generation(segment), segments.salt(segment), offset, sequence, digest);
    }

    /** The last sequence that was written. */
    long writtenSequence() {
        return sequence - 1;
    }

    long durableSequence() {
        return durableSequence;
    }

    void checkpointGeneration(long generation) {
        checkpointGeneration = generation;
    }

    int reservedSegment() {
        return next;
    }

    boolean isSealNeeded() {
        return statedDurable < Math.min(lastDataSequence, durableSequence);
    }

    /** @param spaceClaim which free segments the group may take */
    void beginGroup(SpaceClaim spaceClaim) {
        failure.check();
        firstSequence = sequence;
        claim = spaceClaim;
        batch.clear();
    }

    /** The CRC of the block that was appended last. */
    int lastBlockCrc() {
        return batch.lastBlockCrc();
    }

    /** Appends a block and its record; returns where it lies. */
    long block(MemorySegment block, int kind, int info, int volume, long lpn, long family) {
        final int length = (int) block.byteSize();
        makeRoom(length, RecordDescriptor.LENGTH);
        while (segments.remaps().isTaken(batch.nextPpn(place(), length))) {
            writeBatch(0); // the name of a block that lies elsewhere: the next batch begins on another unit
            makeRoom(length, RecordDescriptor.LENGTH);
        }
        counters.records++;
        if (kind == RecordDescriptor.KIND_PAGE) {
            counters.blockBytes += length;
            segments.ages().wrote(segment, length);
        }
        return batch.addBlock(place(), block, kind, info, volume, lpn, family);
    }

    private BatchBuffer.Place place() {
        return new BatchBuffer.Place(segment, segments.generation(segment), segments.salt(segment), offset);
    }

    void record(int kind, int info, int volume, long first, long second) {
        record(kind, info, 0, volume, first, second, 0);
    }

    /** Adds a record that something of that length is to follow by {@link #batch}. */
    private void record(int kind, int info, int length, int volume, long first, long second, int tailLength) {
        makeRoom(0, RecordDescriptor.LENGTH + tailLength);
        batch.addRecord(kind, info, length, volume, first, second);
        counters.records++;
    }

    /** A record with a tail. */
    void record(int kind, int info, int volume, long first, long second, byte[] tail) {
        final int padded = RecordDescriptor.tailLengthPadded(tail.length);
        record(kind, info, tail.length, volume, first, second, padded);
        batch.addTail(tail, padded);
    }

    /** Adds a record with a third number behind it. */
    void record(int kind, int info, int volume, long first, long second, long third) {
        record(kind, info, Long.BYTES, volume, first, second, Long.BYTES);
        batch.addTail(third);
    }

    /** Room for a block and a record in the open batch: writes the batch out, or moves to the next segment, if need be. */
    private void makeRoom(int blockLength, int recordLength) {
        failure.check();
        while (true) {
            final int room = Math.min(
                    BatchDescriptor.LENGTH_MAX, segments.segmentSizeBytes() - BatchDescriptor.UNIT_BYTES - offset);
            if (batch.fits(room, blockLength, recordLength)) {
                return;
            }
            if (batch.recordCount() > 0) {
                final int length = writeBatch(0);
                device.writeBack(segments.position(segment) + offset - length, length);
            } else if (offset == 0) {
                throw new StorageException(
                        ErrorCode.INVALID,
                        "block of %d bytes does not fit a segment of %d".formatted(
                                blockLength, segments.segmentSizeBytes()));
            } else {
                nextSegment();
            }
        }
    }

    /** Writes the last batch of the group and returns its sequence. */
    long endGroup(int flags) {
        if (batch.recordCount() == 0) {
            makeRoom(0, 0);
        }
        writeBatch(flags);
        lastDataSequence = writtenSequence();
        return writtenSequence();
    }

    /** Gives the open batch up; what was written of the group stays and is never applied. */
    void abandonGroup() {
        batch.clear();
    }

    /** Appends a batch that only says how far the log is known to be durable. */
    void writeSeal(int flags) {
        beginGroup((flags & BatchDescriptor.FLAG_CLOSED) != 0 ? SpaceClaim.CHECKPOINT : SpaceClaim.COMMIT);
        makeRoom(0, 0);
        writeBatch(BatchDescriptor.FLAG_SEAL | flags);
    }

    private void nextSegment() {
        if (next == BatchDescriptor.NO_SEGMENT) {
            next = takeSegment();
            if (next == BatchDescriptor.NO_SEGMENT) {
                throw storeFull();
            }
            segments.state(next, SegmentState.RESERVED);
        }
        if (claim != SpaceClaim.CHECKPOINT
                && !segments.free().ensure(claim.leavesBytes(counters.reserveBytes, segments.segmentSizeBytes()))) {
            throw storeFull();
        }
        writeBatch(BatchDescriptor.FLAG_SEGMENT_END);
        segments.state(segment, SegmentState.FULL);
        segment = next;
        offset = 0;
        segments.state(segment, SegmentState.OPEN);
        segments.markWritten(segment);
        next = BatchDescriptor.NO_SEGMENT;
        reserveNext();
    }

    /** Reserves the segment that the log goes on in behind the open one, if there is any; a header names it. */
    void reserveNext() {
        if (next == BatchDescriptor.NO_SEGMENT) {
            next = takeSegment();
            if (next != BatchDescriptor.NO_SEGMENT) {
                segments.state(next, SegmentState.RESERVED);
            }
        }
    }

    /** Takes a free segment and gives it an identity, for something that may go that far; NO_SEGMENT when there is none. */
    int takeSegment(SpaceClaim spaceClaim) {
        final long leaves = spaceClaim.leavesBytes(counters.reserveBytes, segments.segmentSizeBytes());
        return segments.free().ensure(leaves + segments.segmentSizeBytes()) ? takeSegment() : BatchDescriptor.NO_SEGMENT;
    }

    private int takeSegment() {
        final int taken = segments.free().take();
        if (taken < 0) {
            return BatchDescriptor.NO_SEGMENT;
        }
        final int generation = segments.generation(taken) + 1;
        segments.identity(taken, generation, digests.salt(secret, session, taken, generation, digest));
        return taken;
    }

    StorageException storeFull() {
        return new StorageException(
                ErrorCode.STORE_FULL,
                "store full: %d segments of %d bytes, %d live bytes; %s, or delete and checkpoint".formatted(
                        segments.count(),
                        segments.segmentSizeBytes(),
                        segments.liveBytes(),
                        segments.free().isBelowLimit() ? segments.free().refusal() : "raise its maximum size"));
    }

    private int writeBatch(int flags) {
        failure.check();
        putHeader();
        final MemorySegment bytes = batch.finish(place(), 0, flags, storeId);
        final int length = (int) bytes.byteSize();
        try {
            device.write(segments.position(segment) + offset, bytes);
        } catch (RuntimeException e) {
            throw failure.fail(e);
        } catch (Error e) {
            throw failure.end(e);
        }
        counters.writtenBytes += length;
        counters.batches++;
        counters.batchesSinceCheckpoint++;
        statedDurable = durableSequence;
        digest = batch.digest();
        sequence++;
        offset += length;
        batch.clear();
        return length;
    }

    private void putHeader() {
        final MemorySegment header = batch.header();
        Fields.putLong(header, BatchDescriptor.SEQUENCE_OFFSET, sequence);
        Fields.putLong(header, BatchDescriptor.PREVIOUS_DIGEST_OFFSET, digest);
        Fields.putLong(header, BatchDescriptor.KNOWN_DURABLE_OFFSET, durableSequence);
        Fields.putLong(header, BatchDescriptor.CHECKPOINT_GENERATION_OFFSET, checkpointGeneration);
        Fields.putLong(header, BatchDescriptor.FIRST_SEQUENCE_OFFSET, firstSequence);
        Fields.putInt(header, BatchDescriptor.NEXT_SEGMENT_OFFSET, next);
        Fields.putInt(header, BatchDescriptor.NEXT_GENERATION_OFFSET, next < 0 ? 0 : segments.generation(next));
        Fields.putLong(header, BatchDescriptor.NEXT_SALT_OFFSET, next < 0 ? 0 : segments.salt(next));
        Fields.putLong(header, BatchDescriptor.SESSION_OFFSET, session);
    }

    /** One device flush: everything that was written before is durable when it returns. */
    void flush() {
        failure.check();
        final long written = writtenSequence();
        final long begin = System.nanoTime();
        try {
            device.flush();
        } catch (RuntimeException e) {
            throw failure.fail(e);
        } catch (Error e) {
            throw failure.end(e);
        }
        counters.latencies.record(Latencies.Kind.FLUSH, begin);
        counters.flushes++;
        durableSequence = written;
    }

    /** Fills the reserved segment with zeros, so that commits into it need no allocation; true when it did so. */
    boolean prepareNext(int chunkOffset, MemorySegment zeros) {
        if (next == BatchDescriptor.NO_SEGMENT || segments.medium(next) == SegmentTable.WRITTEN) {
            return false;
        }
        try {
            device.write(segments.position(next) + chunkOffset, zeros);
            device.writeBack(segments.position(next) + chunkOffset, zeros.byteSize());
        } catch (RuntimeException e) {
            throw failure.fail(e);
        } catch (Error e) {
            throw failure.end(e);
        }
        counters.preparedBytes += zeros.byteSize();
        return true;
    }

    void markNextWritten() {
        segments.markWritten(next);
    }

    @Override
    public void close() {
        batch.close();
    }
}
