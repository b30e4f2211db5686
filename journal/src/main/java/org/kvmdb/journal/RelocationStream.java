package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Segments beside the log, to which blocks of one temperature are moved. They are filled with batches like those of the
 * log, whose records name the owners of the blocks. No sequence connects these batches, and recovery never reads them:
 * once the blocks are durable, records of the log refer to them. One thread, without the append lock.
 */
final class RelocationStream implements AutoCloseable {

    static final int BATCH_LENGTH_MAX = 256 << 10;

    private final Device device;
    private final SegmentTable segments;
    private final Failure failure;
    private final long storeId;
    private final int number;
    private final BatchBuffer batch = new BatchBuffer(BATCH_LENGTH_MAX);
    private final List<Integer> touched = new ArrayList<>();
    private int segment = BatchDescriptor.NO_SEGMENT;
    private int generation;
    private long salt;
    private int offset;
    private long writtenBytes;

    RelocationStream(Device device, SegmentTable segments, Failure failure, long storeId, int number) {
        this.device = device;
        this.segments = segments;
        this.failure = failure;
        this.storeId = storeId;
        this.number = number;
    }

    /** Whether a block can be added without a new segment. */
    boolean hasRoom(int blockLength) {
        return segment != BatchDescriptor.NO_SEGMENT
                && (batch.fits(roomLeft(), blockLength, RecordDescriptor.LENGTH)
                        || BatchDescriptor.HEADER_LENGTH + blockLength + RecordDescriptor.LENGTH
                                <= roomLeft() - lengthOfOpenBatch());
    }

    private int roomLeft() {
        return segments.segmentSizeBytes() - offset;
    }

    private int lengthOfOpenBatch() {
        return batch.recordCount() == 0 ? 0 : batch.length();
    }

    /** Goes on in that segment, which has its identity; the open batch is written. */
    void enter(int nextSegment) {
        writeBatch();
        touch(); // it is full from now on, also when nothing was added since the last call
        segment = nextSegment;
        generation = segments.generation(segment);
        salt = segments.salt(segment);
        offset = 0;
        touch();
    }

    private void touch() {
        if (segment != BatchDescriptor.NO_SEGMENT && !touched.contains(segment)) {
            touched.add(segment);
        }
    }

    /** Goes on behind the place where a block would lie next, if that is the name of another; whether it was. */
    boolean skipName(int blockLength) {
        if (!batch.fits(roomLeft(), blockLength, RecordDescriptor.LENGTH)) {
            writeBatch();
        }
        final long next = batch.nextPpn(new BatchBuffer.Place(segment, generation, salt, offset), blockLength);
        if (!segments.remaps().isTaken(next)) {
            return false;
        }
        write();
        return true;
    }

    /** Adds a block, for which there is room; returns where it will lie. */
    long add(MemorySegment block, int kind, int info, int volume, long lpn, long family) {
        if (!batch.fits(roomLeft(), (int) block.byteSize(), RecordDescriptor.LENGTH)) {
            writeBatch();
        }
        touch();
        return batch.addBlock(
                new BatchBuffer.Place(segment, generation, salt, offset), block, kind, info, volume, lpn, family);
    }

    /** Writes what was added; it is not durable yet. */
    void writeBatch() {
        if (batch.recordCount() > 0) {
            write();
        }
    }

    private void write() {
        failure.check();
        final MemorySegment header = batch.header();
        header.fill((byte) 0);
        Fields.putInt(header, BatchDescriptor.NEXT_SEGMENT_OFFSET, BatchDescriptor.NO_SEGMENT);
        // No batch before it, none behind it: the sequence says only that nothing is known durable by it.
        Fields.putLong(header, BatchDescriptor.SEQUENCE_OFFSET, 1);
        Fields.putLong(header, BatchDescriptor.FIRST_SEQUENCE_OFFSET, 1);
        final MemorySegment bytes =
                batch.finish(new BatchBuffer.Place(segment, generation, salt, offset), number, 0, storeId);
        try {
            device.write(segments.position(segment) + offset, bytes);
            device.writeBack(segments.position(segment) + offset, bytes.byteSize());
        } catch (RuntimeException e) {
            throw failure.fail(e);
        } catch (Error e) {
            throw failure.end(e);
        }
        offset += (int) bytes.byteSize();
        writtenBytes += bytes.byteSize();
        batch.clear();
    }

    /** The segments that blocks were added to since the last call; the last one is the open one. */
    List<Integer> takeTouched() {
        final List<Integer> result = List.copyOf(touched);
        touched.clear();
        return result;
    }

    int openSegment() {
        return segment;
    }

    long writtenBytes() {
        return writtenBytes;
    }

    @Override
    public void close() {
        batch.close();
    }
}
