package org.kvmdb.journal.simulation;

import static org.kvmdb.journal.simulation.FaultyDevice.Operation.ALLOCATE;
import static org.kvmdb.journal.simulation.FaultyDevice.Operation.DISCARD;
import static org.kvmdb.journal.simulation.FaultyDevice.Operation.FLUSH;
import static org.kvmdb.journal.simulation.FaultyDevice.Operation.READ;
import static org.kvmdb.journal.simulation.FaultyDevice.Operation.WRITE;

import java.util.EnumSet;
import java.util.Set;

/** How an operation of a {@link FaultyDevice} fails. */
public enum Fault {
    /** An error is thrown. Of a write nothing, or all, has reached the medium: an error says nothing of that. */
    EIO(Voice.LOUD, READ, WRITE, FLUSH, DISCARD, ALLOCATE),
    /** There is no space. Late, too: a flush may find out. */
    ENOSPC(Voice.LOUD, WRITE, FLUSH, ALLOCATE),
    /** Half is transferred. A write throws then; a read returns it, as at the end of a device that was cut off. */
    SHORT(Voice.LOUD, READ, WRITE),
    /** Sectors of 512 bytes by chance are written, then an error is thrown. */
    TORN(Voice.LOUD, WRITE),
    /** The write is acknowledged and was never done. */
    LOST(Voice.SILENT, WRITE),
    /**
     * A write lands where another one went before: its place keeps what it held, and a victim is overwritten. A read
     * returns what lies elsewhere.
     */
    MISDIRECTED(Voice.SILENT, READ, WRITE),
    /** The read returns what its place held before the last write that touched it. */
    STALE(Voice.SILENT, READ),
    /** One bit of what is read is wrong. */
    FLIP(Voice.SILENT, READ),
    /**
     * The flush is acknowledged, and nothing is durable that was written since the flush before. Once: the power is cut
     * at the next flush. Persistently: all flushes lie, and it is cut in the end. {@link FaultyDevice#heal} then
     * takes back what was not durable: all of it, or some of these writes by chance.
     */
    LYING(Voice.SILENT, FLUSH),
    /** From here on every operation fails, and so does closing the device. */
    VANISH(Voice.LOUD, READ, WRITE, FLUSH, DISCARD, ALLOCATE),
    /** The operation takes a millisecond longer, and succeeds. */
    SLOW(Voice.NONE, READ, WRITE, FLUSH, DISCARD, ALLOCATE),
    /** The operation waits until {@link FaultyDevice#release}, and succeeds. */
    HANG(Voice.NONE, READ, WRITE, FLUSH, DISCARD, ALLOCATE);

    /** Whether the device says that it failed. */
    private enum Voice {
        LOUD,
        SILENT,
        NONE
    }

    private final Voice voice;
    private final Set<FaultyDevice.Operation> operations;

    Fault(Voice voice, FaultyDevice.Operation first, FaultyDevice.Operation... others) {
        this.voice = voice;
        operations = EnumSet.of(first, others);
    }

    public boolean appliesTo(FaultyDevice.Operation operation) {
        return operations.contains(operation);
    }

    /** The device acknowledges what it did not do, or returns what it does not hold. */
    public boolean isSilent() {
        return voice == Voice.SILENT;
    }

    /** The device says that it failed. */
    public boolean isLoud() {
        return voice == Voice.LOUD;
    }
}
