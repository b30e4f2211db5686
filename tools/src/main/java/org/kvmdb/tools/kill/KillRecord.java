package org.kvmdb.tools.kill;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file that the loop and its child both map. What the child stores into it is there when the child is dead, at the very
 * instruction: the pages belong to the kernel. It does not outlive a loss of power, and need not.
 *
 * <pre>
 *      0   phase         what the child is at
 *      8   stop          not 0: the child is asked to end in order
 *     16   progress      steps of work that the child has done, in any unit
 *   4096   body          the workload's own
 * </pre>
 */
public final class KillRecord implements AutoCloseable {

    /** What a child is at. */
    public enum Phase {
        /** Its virtual machine starts. */
        STARTING,
        /** It creates, opens or recovers the store. */
        OPENING,
        WORKING,
        CLOSING,
        /** It has closed the store, and ends. */
        DONE
    }

    private static final Phase[] PHASES = Phase.values();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long PHASE = 0;
    private static final long STOP = 8;
    private static final long PROGRESS = 16;
    private static final long BODY = 4096;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    private KillRecord(FileChannel channel, long sizeBytes) throws IOException {
        this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, sizeBytes, arena);
    }

    /** A new file. */
    public static KillRecord create(Path file, long bodyBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new KillRecord(channel, BODY + bodyBytes);
        }
    }

    /** The file that the other side created. */
    public static KillRecord attach(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new KillRecord(channel, channel.size());
        }
    }

    public Phase phase() {
        return PHASES[(int) (long) LONG.getVolatile(memory, PHASE)];
    }

    void phase(Phase phase) {
        LONG.setVolatile(memory, PHASE, (long) phase.ordinal());
    }

    boolean isStopAsked() {
        return (long) LONG.getVolatile(memory, STOP) != 0;
    }

    void askToStop() {
        LONG.setVolatile(memory, STOP, 1L);
    }

    /** For the next child. */
    void reset() {
        phase(Phase.STARTING);
        LONG.setVolatile(memory, STOP, 0L);
        LONG.setVolatile(memory, PROGRESS, 0L);
    }

    long progress() {
        return (long) LONG.getVolatile(memory, PROGRESS);
    }

    void advance() {
        LONG.getAndAdd(memory, PROGRESS, 1L);
    }

    /** The part that belongs to the workload. */
    public MemorySegment body() {
        return memory.asSlice(BODY);
    }

    @Override
    public void close() {
        arena.close();
    }
}
