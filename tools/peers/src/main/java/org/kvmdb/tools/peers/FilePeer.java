package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file of pages: {@code pread}, {@code pwrite}, {@code fdatasync}. Nothing is atomic, so commits of it are a floor. Where
 * it is used at random the kernel is told so: else small writes into large folios would write many times themselves.
 */
final class FilePeer implements Peer {

    static final String FILE = "pages";

    /** Of the load. */
    private static final int PIECE_PAGES = 256;

    private final FileChannel channel;
    private final Arena arena = Arena.ofShared();

    FilePeer(PeerSetup setup) throws IOException {
        Path file = setup.directory().resolve(FILE);
        channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (setup.access() == PeerSetup.Access.RANDOM) {
            LibC.adviseRandom(file);
        }
    }

    @Override
    public Session session() {
        return new FileSession();
    }

    @Override
    public void load(long pages, PageSource source) throws IOException {
        MemorySegment piece = arena.allocate((long) PIECE_PAGES * PageSource.PAGE_BYTES, PageSource.PAGE_BYTES);
        for (long first = 0; first < pages; first += PIECE_PAGES) {
            int count = (int) Math.min(PIECE_PAGES, pages - first);
            for (int i = 0; i < count; i++) {
                source.fill(piece, (long) i * PageSource.PAGE_BYTES, first + i, 0);
            }
            write(piece.asSlice(0, (long) count * PageSource.PAGE_BYTES).asByteBuffer(), first);
        }
        channel.force(false);
    }

    private void write(ByteBuffer buffer, long page) throws IOException {
        long position = page * PageSource.PAGE_BYTES;
        while (buffer.hasRemaining()) {
            position += channel.write(buffer, position);
        }
    }

    /** The file copied within the kernel, which is a reflink where the file system has them. */
    @Override
    public void snapshot(Path target) throws IOException {
        try (FileChannel copy = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long size = channel.size();
            for (long position = 0; position < size; ) {
                position += channel.transferTo(position, size - position, copy);
            }
            copy.force(false);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        arena.close();
    }

    private final class FileSession extends CopySession {

        private final ByteBuffer buffer = copy().asByteBuffer();

        @Override
        void read(long firstPage, int count) {
            try {
                prepare(count);
                long position = firstPage * PageSource.PAGE_BYTES;
                while (buffer.hasRemaining()) {
                    int bytes = channel.read(buffer, position);
                    PageSource.checkFound(bytes > 0, firstPage);
                    position += bytes;
                }
            } catch (IOException e) {
                throw PageSource.unchecked(e);
            }
        }

        private void prepare(int pages) {
            buffer.clear().limit(pages * PageSource.PAGE_BYTES);
        }

        @Override
        public void commit(long[] pages, int count, PageSource source, long version) {
            try {
                for (int i = 0; i < count; i++) {
                    source.fill(copy(), 0, pages[i], version);
                    prepare(1);
                    write(buffer, pages[i]);
                }
                channel.force(false);
            } catch (IOException e) {
                throw PageSource.unchecked(e);
            }
        }
    }
}
