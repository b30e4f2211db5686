package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A {@link BufferPool} over pages in plain memory, with room for all of them: for the cost of hits. */
final class BufferPoolPeer implements Peer {

    private final Arena arena = Arena.ofShared();
    private final MemorySegment frames;
    private BufferPool pool;

    BufferPoolPeer(PeerSetup setup) {
        frames = arena.allocate(setup.bytes(), PageSource.PAGE_BYTES);
    }

    /** Reading a page is making it again. */
    @Override
    public void load(long pages, PageSource source) {
        pool = new BufferPool(frames, (page, memory, offset) -> source.fill(memory, offset, page, 0));
        for (long page = 0; page < pages; page++) {
            pool.unpin(pool.pin(page));
        }
    }

    @Override
    public Session session() {
        return new PoolSession(pool, frames);
    }

    @Override
    public void close() {
        arena.close();
    }

    private record PoolSession(BufferPool pool, MemorySegment frames) implements Session {

        @Override
        public long word(long page, int offset) {
            int frame = pool.pin(page);
            try {
                return frames.get(ValueLayout.JAVA_LONG, pool.offsetOf(frame) + offset);
            } finally {
                pool.unpin(frame);
            }
        }

        @Override
        public long scan(long firstPage, long pages) {
            long sum = 0;
            for (long page = firstPage; page < firstPage + pages; page++) {
                int frame = pool.pin(page);
                sum += PageSource.sum(frames, pool.offsetOf(frame), PageSource.PAGE_BYTES);
                pool.unpin(frame);
            }
            return sum;
        }

        @Override
        public void commit(long[] pages, int count, PageSource source, long version) {
            throw new UnsupportedOperationException("memory does not last");
        }
    }
}
