package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A stream taken apart and put together again, its checksums and digests made right: what an enemy would write. */
public final class StreamForge {

    private final List<byte[]> chunks = new ArrayList<>();

    public StreamForge(byte[] stream) {
        for (int at = 0; at < stream.length; ) {
            final int length = Fields.intAt(MemorySegment.ofArray(stream), at + StreamChunkDescriptor.LENGTH_OFFSET);
            chunks.add(Arrays.copyOfRange(stream, at, at + length));
            at += length;
        }
    }

    public List<byte[]> chunks() {
        return chunks;
    }

    /** All chunks, resealed: lengths, sequences, digests and checksums fit; everything else is as it was put there. */
    public byte[] seal() {
        return seal(true);
    }

    /** @param lengths whether the lengths that the chunks name are made right, too */
    public byte[] seal(boolean lengths) {
        final Digests digests = new Digests();
        final byte[] stream = new byte[chunks.stream().mapToInt(chunk -> chunk.length).sum()];
        long digest = 0;
        int at = 0;
        for (int i = 0; i < chunks.size(); i++) {
            final MemorySegment chunk = MemorySegment.ofArray(chunks.get(i));
            if (lengths) {
                Fields.putInt(chunk, StreamChunkDescriptor.LENGTH_OFFSET, (int) chunk.byteSize());
            }
            Fields.putLong(chunk, StreamChunkDescriptor.SEQUENCE_OFFSET, i);
            Fields.putLong(chunk, StreamChunkDescriptor.PREVIOUS_DIGEST_OFFSET, digest);
            Fields.putInt(chunk, StreamChunkDescriptor.CRC_OFFSET, digests.chunkCrc(chunk));
            digest = digests.chunkDigest(chunk, digest);
            System.arraycopy(chunks.get(i), 0, stream, at, chunks.get(i).length);
            at += chunks.get(i).length;
        }
        return stream;
    }
}
