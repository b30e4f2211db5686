package org.kvmdb.tools.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/**
 * A mapped file and {@code force()}. MADV_RANDOM where it is read at random: the default readahead makes that 200 times
 * slower. It never writes the file in the first place, since {@code force()} of a file whose pages came into the cache as
 * large folios writes 200 bytes for each that changed.
 */
final class MmapPeer implements Peer {

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    MmapPeer(PeerSetup setup) throws IOException {
        try (FileChannel channel = FileChannel.open(
                setup.directory().resolve(FilePeer.FILE), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, setup.bytes(), arena);
        }
        if (setup.access() == PeerSetup.Access.RANDOM) {
            LibC.adviseRandom(memory);
        }
    }

    @Override
    public MemorySegment memory() {
        return memory;
    }

    @Override
    public Session session() {
        return new MemorySession(memory) {
            @Override
            public void commit(long[] pages, int count, PageSource source, long version) {
                for (int i = 0; i < count; i++) {
                    source.fill(memory, pages[i] * PageSource.PAGE_BYTES, pages[i], version);
                }
                if (count == 1) {
                    memory.asSlice(pages[0] * PageSource.PAGE_BYTES, PageSource.PAGE_BYTES).force();
                } else {
                    memory.force();
                }
            }
        };
    }

    @Override
    public void load(long pages, PageSource source) {
        throw new UnsupportedOperationException("its file is made by plain writes");
    }

    @Override
    public void close() {
        arena.close();
    }
}
