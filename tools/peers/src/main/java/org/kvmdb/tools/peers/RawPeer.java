package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Plain memory, for what a hit costs at the least. */
final class RawPeer implements Peer {

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    RawPeer(PeerSetup setup) {
        memory = arena.allocate(setup.bytes(), PageSource.PAGE_BYTES);
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
                throw new UnsupportedOperationException("memory does not last");
            }
        };
    }

    @Override
    public void load(long pages, PageSource source) {
        for (long page = 0; page < pages; page++) {
            source.fill(memory, page * PageSource.PAGE_BYTES, page, 0);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
