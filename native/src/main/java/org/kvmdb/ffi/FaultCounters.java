package org.kvmdb.ffi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What the fault path counted since the pool was opened ({@code struct kvmdb_counters}). */
public record FaultCounters(
        long readFaults,
        long writeFaults,
        long firstWrites,
        long copiedAside,
        long filledPages,
        long evictedPages,
        long spilledPages,
        long unspilledPages,
        long ghostHits,
        long badPages,
        long idleFaults,
        long overshoots,
        long chainedSignals,
        long tierHits,
        long tierMisses,
        long tierAdds,
        long tierDrops,
        long tierDeclines,
        long readAheadPages,
        long readAheadUsedPages,
        long passedPages,
        long overwrittenPages) {

    static final int LENGTH = 22 * Long.BYTES;

    static FaultCounters of(MemorySegment counters) {
        final long[] c = counters.toArray(ValueLayout.JAVA_LONG);
        return new FaultCounters(
                c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12],
                c[13], c[14], c[15], c[16], c[17], c[18], c[19], c[20], c[21]);
    }
}
