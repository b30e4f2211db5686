package org.kvmdb.crashtest;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.kvmdb.tools.kill.KillChild;

/**
 * Marks in memory that the process which is killed shares with the one that kills it.
 *
 * <pre>
 *    0   created        not 0: the store was created, and the workload has made what it begins with
 *    8   issued         by lane
 *  520   acknowledged   by lane
 * </pre>
 */
final class SharedMarks {

    static final long BYTES = 8 + 2 * 8 * CrashContext.LANES;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long CREATED = 0;
    private static final long ISSUED = CREATED + 8;
    private static final long ACKNOWLEDGED = ISSUED + 8 * CrashContext.LANES;

    private final MemorySegment memory;

    SharedMarks(MemorySegment memory) {
        this.memory = memory;
    }

    boolean isCreated() {
        return (long) LONG.getVolatile(memory, CREATED) != 0;
    }

    void created() {
        LONG.setVolatile(memory, CREATED, 1L);
    }

    /** Marks never go back. */
    private void raise(long at, long step) {
        long before = (long) LONG.getVolatile(memory, at);
        while (before < step && !LONG.compareAndSet(memory, at, before, step)) {
            before = (long) LONG.getVolatile(memory, at);
        }
    }

    private long[] lanes(long at) {
        long[] steps = new long[CrashContext.LANES];
        for (int lane = 0; lane < steps.length; lane++) {
            steps[lane] = (long) LONG.getVolatile(memory, at + 8L * lane);
        }
        return steps;
    }

    Recovered recovered(long seed) {
        return new Recovered(seed, lanes(ISSUED), lanes(ACKNOWLEDGED));
    }

    /** For the workload in the child. */
    CrashContext.Marks of(KillChild child) {
        return new CrashContext.Marks() {
            @Override
            public void issued(int lane, long step) {
                raise(ISSUED + 8L * lane, step);
            }

            @Override
            public void acknowledged(int lane, long step) {
                raise(ACKNOWLEDGED + 8L * lane, step);
            }

            @Override
            public void log(String what) {
                // A killed run is too long for a list of what it did.
            }

            @Override
            public boolean next() {
                child.advance();
                return !child.isStopAsked();
            }
        };
    }
}
