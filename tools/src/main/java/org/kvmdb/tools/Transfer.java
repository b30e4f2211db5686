package org.kvmdb.tools;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.kvmdb.Volume;

/** Copies between files and volumes, in pieces. */
public final class Transfer {

    private static final int PIECE_BYTES = 1 << 20;

    /** What is copied from: {@link Volume#read} or {@link org.kvmdb.Snapshot#read}. */
    public interface Source {
        void read(long offset, MemorySegment destination);
    }

    private Transfer() {}

    /**
     * Copies the first bytes of a file to the start of a volume. Commits nothing.
     *
     * @param skipsZeros for a volume that is still empty: pieces of zeros are left as holes
     * @throws IOException also when the file ends early
     */
    public static void importInto(
            Volume volume, FileChannel file, long lengthBytes, boolean skipsZeros, Progress progress)
            throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            MemorySegment zeros = arena.allocate(PIECE_BYTES, 4096);
            for (long position = 0; position < lengthBytes; position += PIECE_BYTES) {
                MemorySegment piece = buffer.asSlice(0, Math.min(PIECE_BYTES, lengthBytes - position));
                fill(file, position, piece.asByteBuffer());
                if (!skipsZeros || !isZero(piece, zeros)) {
                    volume.write(position, piece);
                }
                progress.advance(piece.byteSize());
            }
        }
    }

    /**
     * Copies all that comes to the start of a volume. Commits nothing.
     *
     * @param skipsZeros as for a file
     * @return how many bytes came
     * @throws CommandFailedException when they are more than the volume's
     */
    static long importInto(Volume volume, ReadableByteChannel input, boolean skipsZeros, Progress progress)
            throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            MemorySegment zeros = arena.allocate(PIECE_BYTES, 4096);
            long position = 0;
            while (true) {
                MemorySegment piece = buffer.asSlice(0, fill(input, buffer.asByteBuffer()));
                if (piece.byteSize() == 0) {
                    return position;
                }
                if (piece.byteSize() > volume.sizeBytes() - position) {
                    throw new CommandFailedException("more came than volume %s takes (%s): make it larger first"
                            .formatted(volume.name(), Sizes.format(volume.sizeBytes())));
                }
                if (!skipsZeros || !isZero(piece, zeros)) {
                    volume.write(position, piece);
                }
                position += piece.byteSize();
                progress.advance(piece.byteSize());
            }
        }
    }

    /** As much as there is room for, unless it ends before. Returns how much that was. */
    private static int fill(ReadableByteChannel input, ByteBuffer buffer) throws IOException {
        try {
            int length = 0;
            while (length >= 0 && buffer.hasRemaining()) {
                length = input.read(buffer);
                Interruption.check(); // it ends, too, when it is closed
            }
            return buffer.position();
        } catch (ClosedChannelException e) { // while it was read, or between two reads
            Interruption.check();
            throw e;
        }
    }

    private static void fill(FileChannel file, long position, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (file.read(buffer, position + buffer.position()) < 0) {
                throw new IOException("the file became shorter while it was read");
            }
        }
    }

    /**
     * Copies the start of a volume or a snapshot to a file.
     *
     * @param sparse a new file that can seek: pieces of zeros are left out
     */
    public static void exportFrom(
            Source source, WritableByteChannel file, long lengthBytes, boolean sparse, Progress progress)
            throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            MemorySegment zeros = arena.allocate(PIECE_BYTES, 4096);
            for (long position = 0; position < lengthBytes; position += PIECE_BYTES) {
                MemorySegment piece = buffer.asSlice(0, Math.min(PIECE_BYTES, lengthBytes - position));
                source.read(position, piece);
                boolean last = position + piece.byteSize() == lengthBytes;
                // The last piece is always written: it gives the file its length.
                if (sparse && !last && isZero(piece, zeros) && file instanceof FileChannel seekable) {
                    seekable.position(position + piece.byteSize());
                } else {
                    drain(piece.asByteBuffer(), file);
                }
                progress.advance(piece.byteSize());
            }
        }
    }

    private static void drain(ByteBuffer buffer, WritableByteChannel file) throws IOException {
        while (buffer.hasRemaining()) {
            file.write(buffer);
        }
    }

    private static boolean isZero(MemorySegment piece, MemorySegment zeros) {
        return piece.mismatch(zeros.asSlice(0, piece.byteSize())) < 0;
    }
}
