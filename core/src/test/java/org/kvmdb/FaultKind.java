package org.kvmdb;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.kvmdb.ffi.Errno;
import org.kvmdb.ffi.FaultPlan.Effect;
import org.kvmdb.ffi.FaultPlan.Operation;
import org.kvmdb.ffi.FaultPlan.Rule;

/** What goes wrong beneath a store, below the page faults and in what Java asks of the shim. */
enum FaultKind {
    READ_EIO(Place.DATA, Effect.ERROR, Errno.EIO, Operation.READ_CACHED, Operation.READ),
    READ_END(Place.DATA, Effect.SHORT, 0, Operation.READ_CACHED, Operation.READ),
    READ_SHORT(Place.DATA, Effect.SHORT, 512, Operation.READ_CACHED, Operation.READ),
    READ_FLIP(Place.DATA, Effect.FLIP, 1234, Operation.READ_CACHED, Operation.READ),
    READ_MISPLACED(Place.DATA, Effect.MISPLACE, 4096, Operation.READ_CACHED, Operation.READ),
    READ_STALE(Place.DATA, Effect.SKIP, 0, Operation.READ_CACHED, Operation.READ),
    READ_EINTR(Place.DATA, Effect.ERROR, Errno.EINTR, Operation.READ_CACHED, Operation.READ),
    READ_EAGAIN(Place.DATA, Effect.ERROR, Errno.EAGAIN, Operation.READ_CACHED, Operation.READ),
    RING_EIO(Place.RING, Effect.ERROR, Errno.EIO, Operation.READ_COMPLETE),
    RING_FLIP(Place.RING, Effect.FLIP, 99, Operation.READ_COMPLETE),
    RING_SHORT(Place.RING, Effect.SHORT, 700, Operation.READ_COMPLETE),
    RING_TWICE(Place.RING, Effect.REPEAT, 0, Operation.READ_COMPLETE),
    RING_LOST(Place.RING, Effect.SKIP, 0, Operation.READ_COMPLETE),
    RING_EAGAIN(Place.RING, Effect.ERROR, Errno.EAGAIN, Operation.READ_COMPLETE),
    RING_REFUSED(Place.RING, Effect.ERROR, Errno.EBUSY, Operation.READ_SUBMIT),
    RING_HANGS(Place.RING, Effect.HANG, 0, Operation.READ_SUBMIT),
    WRITE_EIO(Place.DATA, Effect.ERROR, Errno.EIO, Operation.WRITE),
    WRITE_ENOSPC(Place.DATA, Effect.ERROR, Errno.ENOSPC, Operation.WRITE),
    WRITE_SHORT(Place.DATA, Effect.SHORT, 512, Operation.WRITE),
    WRITE_EINTR(Place.DATA, Effect.ERROR, Errno.EINTR, Operation.WRITE),
    FLUSH_EIO(Place.DATA, Effect.ERROR, Errno.EIO, Operation.FLUSH),
    FLUSH_ENOSPC(Place.DATA, Effect.ERROR, Errno.ENOSPC, Operation.FLUSH),
    ALLOCATE_ENOSPC(Place.DATA, Effect.ERROR, Errno.ENOSPC, Operation.ALLOCATE),
    ALLOCATE_EIO(Place.DATA, Effect.ERROR, Errno.EIO, Operation.ALLOCATE),
    PUNCH_EIO(Place.DATA, Effect.ERROR, Errno.EIO, Operation.PUNCH),
    SPILL_WRITE_EIO(Place.SPILL, Effect.ERROR, Errno.EIO, Operation.WRITE),
    SPILL_WRITE_ENOSPC(Place.SPILL, Effect.ERROR, Errno.ENOSPC, Operation.WRITE),
    SPILL_WRITE_SHORT(Place.SPILL, Effect.SHORT, 512, Operation.WRITE),
    SPILL_WRITE_LOST(Place.SPILL, Effect.SKIP, 0, Operation.WRITE),
    SPILL_READ_EIO(Place.SPILL, Effect.ERROR, Errno.EIO, Operation.READ_CACHED, Operation.READ),
    SPILL_READ_FLIP(Place.SPILL, Effect.FLIP, 5678, Operation.READ_CACHED, Operation.READ),
    SPILL_READ_MISPLACED(Place.SPILL, Effect.MISPLACE, 4096, Operation.READ_CACHED, Operation.READ),
    SPILL_READ_SHORT(Place.SPILL, Effect.SHORT, 1000, Operation.READ_CACHED, Operation.READ),
    SPILL_TRUNCATE_EIO(Place.SPILL, Effect.ERROR, Errno.EIO, Operation.TRUNCATE),
    MAP_PAGE_ENOMEM(Place.MEMORY, Effect.ERROR, Errno.ENOMEM, Operation.MAP_PAGE),
    PROTECT_ENOMEM(Place.MEMORY, Effect.ERROR, Errno.ENOMEM, Operation.PROTECT),
    DROP_ENOMEM(Place.MEMORY, Effect.ERROR, Errno.ENOMEM, Operation.DROP),
    MEMORY_ENOMEM(Place.MEMORY, Effect.ERROR, Errno.ENOMEM, Operation.MEMORY),
    OPENING_MEMORY(Place.OPENING, Effect.ERROR, Errno.ENOMEM, Operation.MEMORY, Operation.RING_MEMORY),
    OPENING_RING(Place.OPENING, Effect.ERROR, Errno.EPERM, Operation.RING),
    OPENING_USERFAULTFD(Place.OPENING, Effect.ERROR, Errno.EPERM, Operation.USERFAULTFD),
    OPENING_REGISTER(Place.OPENING, Effect.ERROR, Errno.ENOMEM, Operation.REGISTER),
    OPENING_FILE(Place.OPENING, Effect.ERROR, Errno.EMFILE, Operation.OPEN, Operation.OPEN_MEMORY),
    OPENING_LOCK(Place.OPENING, Effect.ERROR, Errno.EIO, Operation.LOCK),
    OPENING_READ(Place.OPENING, Effect.ERROR, Errno.EIO, Operation.READ),
    OPENING_WRITE(Place.OPENING, Effect.ERROR, Errno.EIO, Operation.WRITE),
    OPENING_FLUSH(Place.OPENING, Effect.ERROR, Errno.EIO, Operation.FLUSH, Operation.FLUSH_DIRECTORY),
    OPENING_ALLOCATE(Place.OPENING, Effect.ERROR, Errno.ENOSPC, Operation.ALLOCATE, Operation.PUNCH);

    /** Where, or when. */
    enum Place {
        /** The store's file, while the script runs. */
        DATA,
        /** The same, and nothing of it is in the page cache. */
        RING,
        /** Files without a name, which spill areas are. */
        SPILL,
        /** Whatever it is, while the script runs. */
        MEMORY,
        /** Whatever it is, while a store is created and opened. */
        OPENING
    }

    /** Of what the device did right: nobody may notice. */
    private static final Set<FaultKind> INVISIBLE = EnumSet.of(
            READ_SHORT, READ_EINTR, READ_EAGAIN, RING_SHORT, RING_TWICE, RING_EAGAIN, RING_REFUSED, WRITE_SHORT,
            WRITE_EINTR, SPILL_WRITE_SHORT, SPILL_READ_SHORT, SPILL_TRUNCATE_EIO, OPENING_RING);

    /** Tried again, a while: who asks for that for ever is given up, and that is a failure as others are. */
    private static final Set<FaultKind> PASSING = EnumSet.of(READ_EINTR, READ_EAGAIN, WRITE_EINTR);

    private static final Set<Operation> READS =
            EnumSet.of(Operation.READ_CACHED, Operation.READ, Operation.READ_SUBMIT, Operation.READ_COMPLETE);

    private static final int TIMES_TRIED_AGAIN = 50;

    /** What keeps a slot of the fault path: one less than there are, so that other pages are served. */
    private static final Set<FaultKind> KEEPING = EnumSet.of(RING_LOST, RING_HANGS);

    private static final int TIMES_KEPT = 3;

    private final Place place;
    private final Effect effect;
    private final long value;
    private final Operation first;
    private final Operation[] more;

    FaultKind(Place place, Effect effect, long value, Operation first, Operation... more) {
        this.place = place;
        this.effect = effect;
        this.value = value;
        this.first = first;
        this.more = more;
    }

    Place place() {
        return place;
    }

    boolean mustBeInvisible() {
        return INVISIBLE.contains(this);
    }

    /** Whether it is of reads alone: they cost pages, and never the store. */
    boolean isOfReads() {
        return place != Place.OPENING && READS.contains(first);
    }

    /** Whether a slot, and its memory, may stay behind: the kernel could still write into it. */
    boolean mayKeepMemory() {
        return this == RING_LOST;
    }

    /** Whether reads stay under way until their deadline. */
    boolean keepsSlots() {
        return KEEPING.contains(this);
    }

    private Rule placed(Rule rule, Path dataFile) {
        return switch (place) {
            case DATA, RING -> rule.on(dataFile);
            case SPILL -> rule.onUnnamedFiles();
            case MEMORY, OPENING -> rule;
        };
    }

    /** Counts the operations that it is about; the count is that of the first rule. */
    List<Rule> counting(Path dataFile) {
        return withOthers(placed(Rule.counting(first, more), dataFile), dataFile);
    }

    /** The fault is the first rule. */
    List<Rule> rules(Path dataFile, long index, boolean persistent) {
        final Rule rule = placed(Rule.of(effect, value, first, more), dataFile);
        return withOthers(rule.from(index).times(times(persistent)), dataFile);
    }

    private long times(boolean persistent) {
        if (PASSING.contains(this)) {
            return TIMES_TRIED_AGAIN;
        }
        return !persistent ? 1 : KEEPING.contains(this) ? TIMES_KEPT : 0;
    }

    private List<Rule> withOthers(Rule rule, Path dataFile) {
        final List<Rule> rules = new ArrayList<>(List.of(rule));
        if (place == Place.RING) {
            rules.add(Rule.failing(Errno.EAGAIN, Operation.READ_CACHED).on(dataFile));
        }
        if (first != Operation.FLUSH) {
            // The process goes on, so what is written is there: flushes would only take time.
            rules.add(Rule.of(Effect.SKIP, 0, Operation.FLUSH, Operation.FLUSH_DIRECTORY));
        }
        return rules;
    }
}
