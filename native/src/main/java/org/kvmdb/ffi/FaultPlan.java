package org.kvmdb.ffi;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

/**
 * Faults in what the shim asks of the kernel, for tests and crash harnesses: which operations go wrong, from which on, how
 * often and how ({@code fault_plan.h}). One plan is armed at a time in a process, and it is disarmed by {@link #close}. Without
 * one the shim spends a branch on each operation and nothing on memory that is there.
 */
public final class FaultPlan implements AutoCloseable {

    /** What the shim asks of the kernel; {@code enum kvmdb_operation}. */
    public enum Operation {
        /** A page fault reads what the page cache has. */
        READ_CACHED,
        /** A page fault gives a read to its io_uring. */
        READ_SUBMIT,
        /** And takes it from there. */
        READ_COMPLETE,
        /** Any other read: {@code pread}. */
        READ,
        WRITE,
        FLUSH,
        FLUSH_DIRECTORY,
        WRITE_BACK,
        ALLOCATE,
        PUNCH,
        TRUNCATE,
        OPEN,
        OPEN_MEMORY,
        LOCK,
        /** Private memory: {@code mmap}. */
        MEMORY,
        /** {@code io_uring_setup}. */
        RING,
        /** The memory of a ring. */
        RING_MEMORY,
        USERFAULTFD,
        /** A region is registered with userfaultfd. */
        REGISTER,
        /** A page is brought in: {@code UFFDIO_COPY}. */
        MAP_PAGE,
        /** Pages are protected from writes, or writes are let through. */
        PROTECT,
        /** Pages are dropped: {@code madvise}. */
        DROP;

        /** Every way in which a page fault reads. */
        public static Set<Operation> reads() {
            return EnumSet.of(READ_CACHED, READ_SUBMIT, READ);
        }
    }

    /** How it goes wrong; {@code enum kvmdb_effect}. What the value means is said of each. */
    public enum Effect {
        /** Not at all; the operation is only counted. */
        NONE,
        /** It is not done and fails; the value is the errno. A completion has it as its result. */
        ERROR,
        /** It transfers at most as many bytes as the value says. A read of none is the end of the file. */
        SHORT,
        /** The bit of that number, of what was read, is the other one. */
        FLIP,
        /** It transfers at a position that is that many bytes off. */
        MISPLACE,
        /** It is not done, and says that it was: a lost write, a flush that lies. A completion never comes. */
        SKIP,
        /** A completion comes twice. */
        REPEAT,
        /** It is done after that many milliseconds. */
        DELAY,
        /** It is not done before the plan is disarmed. A submitted read then brings garbage. */
        HANG,
        /** SIGKILL to this process instead of it. */
        KILL_BEFORE,
        /** SIGKILL to this process when it is done. */
        KILL_AFTER
    }

    /**
     * A rule of a plan. Each rule counts all operations that it is about; of several whose turn it is, the first has its effect.
     *
     * @param operations what it is about
     * @param firstIndex which of them, counted from 0 since the plan was armed, is the first to go wrong
     * @param times how many in a row; 0: all from there on
     * @param value see {@link Effect}
     * @param files 0: all, 1: those with a name, 2: those without
     * @param inode not 0: only this file of that file system
     */
    public record Rule(
            Set<Operation> operations,
            long firstIndex,
            long times,
            Effect effect,
            long value,
            int files,
            long inode,
            long device) {

        private static final int ALL_FILES = 0;
        private static final int NAMED_FILES = 1;
        private static final int UNNAMED_FILES = 2;

        /** All operations of these kinds have the effect. */
        public static Rule of(Effect effect, long value, Operation first, Operation... more) {
            return new Rule(EnumSet.of(first, more), 0, 0, effect, value, ALL_FILES, 0, 0);
        }

        /** All operations of these kinds fail with that errno. */
        public static Rule failing(int errno, Operation first, Operation... more) {
            return of(Effect.ERROR, errno, first, more);
        }

        /** Nothing goes wrong, and operations are counted. */
        public static Rule counting(Operation first, Operation... more) {
            return of(Effect.NONE, 0, first, more);
        }

        public Rule about(Set<Operation> other) {
            return new Rule(other, firstIndex, times, effect, value, files, inode, device);
        }

        /** From that operation on, counted from 0. */
        public Rule from(long index) {
            return new Rule(operations, index, times, effect, value, files, inode, device);
        }

        /** That many times in a row; 0: for ever. */
        public Rule times(long number) {
            return new Rule(operations, firstIndex, number, effect, value, files, inode, device);
        }

        /** Only this one operation, counted from 0. */
        public Rule onceAt(long index) {
            return from(index).times(1);
        }

        /** Only on this file. */
        public Rule on(Path file) {
            try {
                return new Rule(
                        operations,
                        firstIndex,
                        times,
                        effect,
                        value,
                        ALL_FILES,
                        ((Number) Files.getAttribute(file, "unix:ino")).longValue(),
                        ((Number) Files.getAttribute(file, "unix:dev")).longValue());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Only on files that have a name: not on spill areas. */
        public Rule onNamedFiles() {
            return new Rule(operations, firstIndex, times, effect, value, NAMED_FILES, 0, 0);
        }

        /** Only on files without a name, as spill areas are. */
        public Rule onUnnamedFiles() {
            return new Rule(operations, firstIndex, times, effect, value, UNNAMED_FILES, 0, 0);
        }

        private long mask() {
            return operations.stream().mapToLong(operation -> 1L << operation.ordinal()).sum();
        }

        private long[] fields() {
            return new long[] {mask(), firstIndex, times, effect.ordinal(), value, files, inode, device, 0, 0};
        }
    }

    static final int RULE_LENGTH = 10 * Long.BYTES;

    private boolean closed;

    private FaultPlan() {}

    /** Arms a plan; throws when one is armed. */
    public static FaultPlan arm(Rule... rules) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment fields = arena.allocate((long) RULE_LENGTH * Math.max(1, rules.length), Long.BYTES);
            for (int i = 0; i < rules.length; i++) {
                MemorySegment.copy(
                        rules[i].fields(), 0, fields, ValueLayout.JAVA_LONG, (long) i * RULE_LENGTH, RULE_LENGTH / Long.BYTES);
            }
            Errno.check(ShimLibrary.shim().kvmdb_faults_arm(fields.address(), rules.length), "arm a plan of faults");
            return new FaultPlan();
        }
    }

    /** Operations that the rule of that number, from 0, was about so far; after closing, until the next plan. */
    public long seen(int rule) {
        return ShimLibrary.shim().kvmdb_faults_seen(rule);
    }

    /** Operations that the rule had its effect on. */
    public long hits(int rule) {
        return ShimLibrary.shim().kvmdb_faults_hits(rule);
    }

    /** Disarms it, and lets go what hangs. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            ShimLibrary.shim().kvmdb_faults_disarm();
        }
    }
}
