package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Assembles a stream, chunk by chunk, in one buffer: a returned chunk is valid until the next call. The same calls make
 * the same bytes. Not thread-safe.
 */
final class StreamWriter {

    private final Digests digests = new Digests();
    private final MemorySegment buffer = Arena.ofAuto().allocate(StreamChunkDescriptor.LENGTH_MAX, Long.BYTES);
    private int length = StreamChunkDescriptor.HEADER_LENGTH;
    private long sequence;
    private long digest;
    private long pages;
    private long holes;
    private long payloadBytes;
    private long streamBytes;

    /** The first chunk. */
    MemorySegment begin(StreamHeader header) {
        final String wrong = header.wrong();
        if (wrong != null) {
            throw new StorageException(ErrorCode.INVALID, "cannot be sent: %s: %s".formatted(header.describe(), wrong));
        }
        final MemorySegment body = body();
        Fields.putLong(body, StreamBeginDescriptor.STORE_UUID_OFFSET, header.storeUuidHigh());
        Fields.putLong(body, StreamBeginDescriptor.STORE_UUID_OFFSET + Long.BYTES, header.storeUuidLow());
        Fields.putLong(body, StreamBeginDescriptor.GUID_OFFSET, header.guid());
        Fields.putLong(body, StreamBeginDescriptor.BASE_GUID_OFFSET, header.baseGuid());
        Fields.putLong(body, StreamBeginDescriptor.CREATED_OFFSET, header.createdMillis());
        Fields.putLong(body, StreamBeginDescriptor.SIZE_OFFSET, header.sizeBytes());
        Fields.putLong(body, StreamBeginDescriptor.LSN_OFFSET, header.lsn());
        Fields.putByte(body, StreamBeginDescriptor.PAGE_SHIFT_OFFSET, header.pageShift());
        Fields.putByte(body, StreamBeginDescriptor.RESERVED_OFFSET, 0);
        length += StreamBeginDescriptor.NAMES_OFFSET;
        putName(body, StreamBeginDescriptor.VOLUME_LENGTH_OFFSET, header.volumeName());
        putName(body, StreamBeginDescriptor.SNAPSHOT_LENGTH_OFFSET, header.snapshotName());
        putName(body, StreamBeginDescriptor.BASE_LENGTH_OFFSET, header.baseName());
        return finish(StreamChunkDescriptor.KIND_BEGIN);
    }

    private void putName(MemorySegment body, long lengthOffset, String name) {
        final byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        Fields.putShort(body, lengthOffset, bytes.length);
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, length, bytes.length);
        length += bytes.length;
    }

    private MemorySegment body() {
        return buffer.asSlice(StreamChunkDescriptor.HEADER_LENGTH);
    }

    /** Whether the open chunk has room for one more record with that payload. */
    boolean hasRoom(int payloadLength) {
        return length + StreamRecordDescriptor.LENGTH + payloadLength <= StreamChunkDescriptor.LENGTH_MAX;
    }

    /** Whether the open chunk has no record yet. */
    boolean isEmpty() {
        return length == StreamChunkDescriptor.HEADER_LENGTH;
    }

    void page(long lpn, int codec, MemorySegment payload) {
        final int payloadLength = (int) payload.byteSize();
        putRecord(StreamRecordDescriptor.KIND_PAGE, codec, payloadLength, lpn, 1);
        MemorySegment.copy(payload, 0, buffer, length, payloadLength);
        length += payloadLength;
        pages++;
        payloadBytes += payloadLength;
    }

    void holes(long firstLpn, long count) {
        putRecord(StreamRecordDescriptor.KIND_HOLES, 0, 0, firstLpn, count);
        holes += count;
    }

    private void putRecord(int kind, int codec, int payloadLength, long first, long count) {
        Fields.putByte(buffer, length + StreamRecordDescriptor.KIND_OFFSET, kind);
        Fields.putByte(buffer, length + StreamRecordDescriptor.CODEC_OFFSET, codec);
        Fields.putShort(buffer, length + StreamRecordDescriptor.RESERVED_OFFSET, 0);
        Fields.putInt(buffer, length + StreamRecordDescriptor.PAYLOAD_LENGTH_OFFSET, payloadLength);
        Fields.putLong(buffer, length + StreamRecordDescriptor.FIRST_OFFSET, first);
        Fields.putLong(buffer, length + StreamRecordDescriptor.COUNT_OFFSET, count);
        length += StreamRecordDescriptor.LENGTH;
    }

    /** The chunk of what was put since the last one. */
    MemorySegment changes() {
        return finish(StreamChunkDescriptor.KIND_CHANGES);
    }

    /** The last chunk. */
    MemorySegment end() {
        final MemorySegment body = body();
        Fields.putLong(body, StreamEndDescriptor.PAGES_OFFSET, pages);
        Fields.putLong(body, StreamEndDescriptor.HOLES_OFFSET, holes);
        Fields.putLong(body, StreamEndDescriptor.PAYLOAD_BYTES_OFFSET, payloadBytes);
        length += StreamEndDescriptor.LENGTH;
        return finish(StreamChunkDescriptor.KIND_END);
    }

    private MemorySegment finish(int kind) {
        final MemorySegment chunk = buffer.asSlice(0, length);
        Fields.putInt(chunk, StreamChunkDescriptor.MAGIC_OFFSET, StreamChunkDescriptor.MAGIC);
        Fields.putShort(chunk, StreamChunkDescriptor.VERSION_OFFSET, StreamChunkDescriptor.VERSION);
        Fields.putByte(chunk, StreamChunkDescriptor.KIND_OFFSET, kind);
        Fields.putByte(chunk, StreamChunkDescriptor.RESERVED_OFFSET, 0);
        Fields.putInt(chunk, StreamChunkDescriptor.LENGTH_OFFSET, length);
        Fields.putLong(chunk, StreamChunkDescriptor.SEQUENCE_OFFSET, sequence++);
        Fields.putLong(chunk, StreamChunkDescriptor.PREVIOUS_DIGEST_OFFSET, digest);
        Fields.putInt(chunk, StreamChunkDescriptor.CRC_OFFSET, digests.chunkCrc(chunk));
        digest = digests.chunkDigest(chunk, digest);
        streamBytes += length;
        length = StreamChunkDescriptor.HEADER_LENGTH;
        return chunk;
    }

    StreamTotals totals() {
        return new StreamTotals(pages, holes, payloadBytes, streamBytes);
    }
}
