package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import net.jpountz.xxhash.XXHash64;
import net.jpountz.xxhash.XXHashFactory;

/** Checksum and digest of batches, superblocks and chunks of streams, and the keyed hash for salts. Not thread-safe. */
final class Digests {

    private static final XXHash64 XXHASH = XXHashFactory.fastestInstance().hash64();
    private static final int SALT_FIELDS = 3;

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer saltInput =
            ByteBuffer.allocateDirect(SALT_FIELDS * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    int batchCrc(MemorySegment header, MemorySegment records) {
        crc.reset();
        crc.update(header.asSlice(
                        BatchDescriptor.MAGIC_OFFSET, BatchDescriptor.HEADER_LENGTH - BatchDescriptor.MAGIC_OFFSET)
                .asByteBuffer());
        crc.update(records.asByteBuffer());
        return (int) crc.getValue();
    }

    long batchDigest(MemorySegment header, MemorySegment records) {
        final long headerHash =
                XXHASH.hash(header.asByteBuffer(), 0, BatchDescriptor.HEADER_LENGTH, 0);
        return XXHASH.hash(records.asByteBuffer(), 0, (int) records.byteSize(), headerHash);
    }

    int crc(MemorySegment bytes) {
        crc.reset();
        crc.update(bytes.asByteBuffer());
        return (int) crc.getValue();
    }

    /** Of a stream's chunk, all but the checksum itself. */
    int chunkCrc(MemorySegment chunk) {
        final long behind = StreamChunkDescriptor.CRC_OFFSET + Integer.BYTES;
        crc.reset();
        crc.update(chunk.asSlice(0, StreamChunkDescriptor.CRC_OFFSET).asByteBuffer());
        crc.update(chunk.asSlice(behind, chunk.byteSize() - behind).asByteBuffer());
        return (int) crc.getValue();
    }

    /** Of a stream up to a chunk's end. */
    long chunkDigest(MemorySegment chunk, long previousDigest) {
        return XXHASH.hash(chunk.asByteBuffer(), 0, (int) chunk.byteSize(), previousDigest);
    }

    /**
     * What blocks and batches of a segment's generation are sealed with. It cannot be foreseen without the secret, so no
     * page's content can pass for a batch of a segment that is yet to be written.
     */
    long salt(long secret, long session, int segment, int generation, long digest) {
        saltInput.putLong(0, (long) segment << 32 | Integer.toUnsignedLong(generation));
        saltInput.putLong(Long.BYTES, digest);
        saltInput.putLong(2 * Long.BYTES, session);
        return XXHASH.hash(saltInput, 0, saltInput.capacity(), secret);
    }
}
