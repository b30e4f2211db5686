package org.kvmdb.tools.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Pages that a call copies to memory of the session: one of them for a word of it, in order pieces of 4 MiB, which is enough for those who
 * read a piece by several threads.
 */
abstract class CopySession implements Session {

    private static final int PIECE_PAGES = 1024;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment copy =
            arena.allocate((long) PIECE_PAGES * PageSource.PAGE_BYTES, PageSource.PAGE_BYTES);

    /** Where pages are copied to; as large as a piece. */
    final MemorySegment copy() {
        return copy;
    }

    /** Copies so many pages, a piece at most. */
    abstract void read(long firstPage, int count);

    @Override
    public final long word(long page, int offset) {
        read(page, 1);
        return copy.get(ValueLayout.JAVA_LONG, offset);
    }

    @Override
    public final long scan(long firstPage, long pages) {
        long sum = 0;
        for (long page = firstPage; page < firstPage + pages; page += PIECE_PAGES) {
            int count = (int) Math.min(PIECE_PAGES, firstPage + pages - page);
            read(page, count);
            sum += PageSource.sum(copy, 0, count * PageSource.PAGE_BYTES);
        }
        return sum;
    }

    @Override
    public final void close() {
        arena.close();
    }
}
