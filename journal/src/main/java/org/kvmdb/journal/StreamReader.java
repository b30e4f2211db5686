package org.kvmdb.journal;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * Reads a stream as if an attacker had written it: nothing is used before it is checked, a chunk is shown only when all
 * of it is valid, and at most one chunk is in memory. Payloads are not decoded. Not thread-safe.
 *
 * <p>An invalid stream throws {@link ErrorCode#CORRUPT_STREAM} or {@link ErrorCode#TOO_NEW}. Exceptions of the input
 * pass through.
 */
public final class StreamReader {

    /** Is shown the records of a chunk, in order of their pages. */
    interface RecordVisitor {

        void page(long lpn, int codec, MemorySegment payload);

        void holes(long firstLpn, long count);
    }

    private final InputStream input;
    private final Digests digests = new Digests();
    private final byte[] bytes = new byte[StreamChunkDescriptor.LENGTH_MAX];
    private final MemorySegment buffer = MemorySegment.ofArray(bytes);
    private StreamHeader header;
    private MemorySegment body;
    private long sequence;
    private long digest;
    private long nextLpn;
    private long pages;
    private long holes;
    private long payloadBytes;
    private long streamBytes;

    public StreamReader(InputStream input) {
        this.input = input;
    }

    /** Reads the first chunk. */
    public StreamHeader begin() throws IOException {
        final int kind = readChunk();
        if (kind != StreamChunkDescriptor.KIND_BEGIN) {
            throw corrupt("starts with a chunk of kind " + kind);
        }
        header = parseHeader();
        final String wrong = header.wrong();
        if (wrong != null) {
            throw corrupt(wrong);
        }
        return header;
    }

    /** Reads the next chunk of changes; false when the stream has ended as it should, and nothing follows. */
    public boolean next() throws IOException {
        final int kind = readChunk();
        switch (kind) {
            case StreamChunkDescriptor.KIND_CHANGES -> {
                checkRecords();
                return true;
            }
            case StreamChunkDescriptor.KIND_END -> {
                checkEnd();
                return false;
            }
            default -> throw corrupt("a chunk of kind %d where changes or the end should be".formatted(kind));
        }
    }

    /** Digest of the stream up to the last chunk that was read. */
    public long digest() {
        return digest;
    }

    /** One past the last page that was read of. */
    public long nextLpn() {
        return nextLpn;
    }

    /** What was read. */
    public StreamTotals totals() {
        return new StreamTotals(pages, holes, payloadBytes, streamBytes);
    }

    // ---- chunks ----

    private int readChunk() throws IOException {
        fill(0, StreamChunkDescriptor.HEADER_LENGTH);
        if (Fields.intAt(buffer, StreamChunkDescriptor.MAGIC_OFFSET) != StreamChunkDescriptor.MAGIC) {
            throw sequence == 0
                    ? new StorageException(ErrorCode.CORRUPT_STREAM, "this is no stream of a snapshot")
                    : corrupt("no chunk where one should be");
        }
        final int version = Fields.shortAt(buffer, StreamChunkDescriptor.VERSION_OFFSET);
        if (version > StreamChunkDescriptor.VERSION) {
            throw new StorageException(
                    ErrorCode.TOO_NEW,
                    "stream of version %d, where %d is known; receive it with a newer program"
                            .formatted(version, StreamChunkDescriptor.VERSION));
        }
        final int length = Fields.intAt(buffer, StreamChunkDescriptor.LENGTH_OFFSET);
        if (version != StreamChunkDescriptor.VERSION
                || length < StreamChunkDescriptor.HEADER_LENGTH
                || length > StreamChunkDescriptor.LENGTH_MAX
                || Fields.byteAt(buffer, StreamChunkDescriptor.RESERVED_OFFSET) != 0) {
            throw corrupt("impossible chunk: version=%d length=%d".formatted(version, length));
        }
        fill(StreamChunkDescriptor.HEADER_LENGTH, length - StreamChunkDescriptor.HEADER_LENGTH);
        final MemorySegment chunk = buffer.asSlice(0, length);
        checkChunk(chunk);
        digest = digests.chunkDigest(chunk, digest);
        sequence++;
        streamBytes += length;
        body = chunk.asSlice(StreamChunkDescriptor.HEADER_LENGTH);
        return Fields.byteAt(chunk, StreamChunkDescriptor.KIND_OFFSET);
    }

    private void fill(int at, int length) throws IOException {
        final int count = input.readNBytes(bytes, at, length);
        if (count < length) {
            throw new StorageException(
                    ErrorCode.CORRUPT_STREAM,
                    ("stream was cut off: chunk=%d byte=%d; the target is unchanged, receive all of it and it goes on"
                                    + " where this ended")
                            .formatted(sequence, streamBytes + at + count));
        }
    }

    private void checkChunk(MemorySegment chunk) {
        final int stored = Fields.intAt(chunk, StreamChunkDescriptor.CRC_OFFSET);
        final int actual = digests.chunkCrc(chunk);
        if (stored != actual) {
            throw corrupt("chunk checksum mismatch: expected=0x%08x actual=0x%08x".formatted(stored, actual));
        }
        final long storedSequence = Fields.longAt(chunk, StreamChunkDescriptor.SEQUENCE_OFFSET);
        if (storedSequence != sequence
                || Fields.longAt(chunk, StreamChunkDescriptor.PREVIOUS_DIGEST_OFFSET) != digest) {
            throw corrupt("chunk %d does not follow the one before".formatted(storedSequence));
        }
    }

    private StorageException corrupt(String fact) {
        return new StorageException(
                ErrorCode.CORRUPT_STREAM,
                "corrupt stream: chunk=%d byte=%d: %s; the target is unchanged, send it again"
                        .formatted(sequence, streamBytes, fact));
    }

    // ---- header and end ----

    private StreamHeader parseHeader() {
        if (body.byteSize() < StreamBeginDescriptor.NAMES_OFFSET
                || Fields.byteAt(body, StreamBeginDescriptor.RESERVED_OFFSET) != 0) {
            throw corrupt("impossible header");
        }
        final int volumeLength = Fields.shortAt(body, StreamBeginDescriptor.VOLUME_LENGTH_OFFSET);
        final int snapshotLength = Fields.shortAt(body, StreamBeginDescriptor.SNAPSHOT_LENGTH_OFFSET);
        final int baseLength = Fields.shortAt(body, StreamBeginDescriptor.BASE_LENGTH_OFFSET);
        final int snapshotAt = StreamBeginDescriptor.NAMES_OFFSET + volumeLength;
        final int baseAt = snapshotAt + snapshotLength;
        if (baseAt + baseLength != body.byteSize()) {
            throw corrupt("names that do not fill the header");
        }
        return new StreamHeader(
                Fields.longAt(body, StreamBeginDescriptor.STORE_UUID_OFFSET),
                Fields.longAt(body, StreamBeginDescriptor.STORE_UUID_OFFSET + Long.BYTES),
                name(StreamBeginDescriptor.NAMES_OFFSET, volumeLength),
                name(snapshotAt, snapshotLength),
                name(baseAt, baseLength),
                Fields.longAt(body, StreamBeginDescriptor.GUID_OFFSET),
                Fields.longAt(body, StreamBeginDescriptor.BASE_GUID_OFFSET),
                Fields.longAt(body, StreamBeginDescriptor.CREATED_OFFSET),
                Fields.longAt(body, StreamBeginDescriptor.SIZE_OFFSET),
                Fields.byteAt(body, StreamBeginDescriptor.PAGE_SHIFT_OFFSET),
                Fields.longAt(body, StreamBeginDescriptor.LSN_OFFSET));
    }

    private String name(int at, int length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, StreamChunkDescriptor.HEADER_LENGTH + at, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw corrupt("a name that is not UTF-8");
        }
    }

    private void checkEnd() throws IOException {
        if (body.byteSize() != StreamEndDescriptor.LENGTH
                || Fields.longAt(body, StreamEndDescriptor.PAGES_OFFSET) != pages
                || Fields.longAt(body, StreamEndDescriptor.HOLES_OFFSET) != holes
                || Fields.longAt(body, StreamEndDescriptor.PAYLOAD_BYTES_OFFSET) != payloadBytes) {
            throw corrupt("totals that are not those of what was read");
        }
        if (input.read() >= 0) {
            throw corrupt("something follows its end");
        }
    }

    // ---- records ----

    private void checkRecords() {
        if (body.byteSize() == 0) {
            throw corrupt("a chunk of changes without any");
        }
        for (int at = 0; at < body.byteSize(); at += recordLength(at)) {
            checkRecord(at);
        }
    }

    private void checkRecord(int at) {
        if (at + StreamRecordDescriptor.LENGTH > body.byteSize()) {
            throw corrupt("a record that is cut off");
        }
        final int kind = Fields.byteAt(body, at + StreamRecordDescriptor.KIND_OFFSET);
        final int payloadLength = Fields.intAt(body, at + StreamRecordDescriptor.PAYLOAD_LENGTH_OFFSET);
        final long first = Fields.longAt(body, at + StreamRecordDescriptor.FIRST_OFFSET);
        final long count = Fields.longAt(body, at + StreamRecordDescriptor.COUNT_OFFSET);
        final boolean possible = switch (kind) {
            case StreamRecordDescriptor.KIND_PAGE -> count == 1
                    && payloadLength > 0
                    && payloadLength <= 1 << header.pageShift()
                    && at + StreamRecordDescriptor.LENGTH + payloadLength <= body.byteSize()
                    && isCodec(Fields.byteAt(body, at + StreamRecordDescriptor.CODEC_OFFSET));
            case StreamRecordDescriptor.KIND_HOLES -> count > 0
                    && payloadLength == 0
                    && Fields.byteAt(body, at + StreamRecordDescriptor.CODEC_OFFSET) == 0;
            default -> false;
        };
        if (!possible || Fields.shortAt(body, at + StreamRecordDescriptor.RESERVED_OFFSET) != 0) {
            throw corrupt("impossible record: kind=%d payload=%d count=%d".formatted(kind, payloadLength, count));
        }
        if (first < nextLpn || first >= header.pageCount() || count > header.pageCount() - first) {
            throw corrupt("pages out of order or behind the end: lpn=%d count=%d".formatted(first, count));
        }
        nextLpn = first + count;
        if (kind == StreamRecordDescriptor.KIND_PAGE) {
            pages++;
            payloadBytes += payloadLength;
        } else {
            holes += count;
        }
    }

    private static boolean isCodec(int codec) {
        return codec == BlockDescriptor.CODEC_RAW || codec == BlockDescriptor.CODEC_LZ4;
    }

    private int recordLength(int at) {
        return StreamRecordDescriptor.LENGTH + Fields.intAt(body, at + StreamRecordDescriptor.PAYLOAD_LENGTH_OFFSET);
    }

    /** Shows the records of the chunk that was read last, which are possible and in order. */
    void forEach(RecordVisitor visitor) {
        for (int at = 0; at < body.byteSize(); at += recordLength(at)) {
            final long first = Fields.longAt(body, at + StreamRecordDescriptor.FIRST_OFFSET);
            if (Fields.byteAt(body, at + StreamRecordDescriptor.KIND_OFFSET) == StreamRecordDescriptor.KIND_PAGE) {
                visitor.page(
                        first,
                        Fields.byteAt(body, at + StreamRecordDescriptor.CODEC_OFFSET),
                        body.asSlice(
                                at + StreamRecordDescriptor.LENGTH,
                                Fields.intAt(body, at + StreamRecordDescriptor.PAYLOAD_LENGTH_OFFSET)));
            } else {
                visitor.holes(first, Fields.longAt(body, at + StreamRecordDescriptor.COUNT_OFFSET));
            }
        }
    }
}
