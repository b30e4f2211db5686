package org.kvmdb.tools.peers;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Pages that are plain memory. */
abstract class MemorySession implements Session {

    private final MemorySegment memory;

    MemorySession(MemorySegment memory) {
        this.memory = memory;
    }

    @Override
    public final long word(long page, int offset) {
        return memory.get(ValueLayout.JAVA_LONG, page * PageSource.PAGE_BYTES + offset);
    }

    @Override
    public final long scan(long firstPage, long pages) {
        MemorySegment local = memory;
        long sum = 0;
        for (long page = firstPage; page < firstPage + pages; page++) {
            sum += PageSource.sum(local, page * PageSource.PAGE_BYTES, PageSource.PAGE_BYTES);
        }
        return sum;
    }
}
