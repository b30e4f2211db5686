package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.HistoryDevice;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * A small store at rest that is damaged and looked at, over and over, in place. What must hold: it is refused with a typed
 * error, or what it shows is right, but for pages that are refused. It stands at the last commit; or at one before, if
 * neither superblock nor log that are there say that what is missing was durable.
 */
final class RotStore implements AutoCloseable {

    /** What became of the damage, in the order of the report. */
    enum Outcome {
        STORE_REFUSED("store refused"),
        PAGES_REFUSED("pages refused"),
        TOLD_BY_CHECKER("made good; the checker tells of it"),
        NO_DIFFERENCE("made no difference"),
        TAIL_LOST("tail lost that nothing on the medium tells of");

        private final String text;

        Outcome(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    private static final JournalOptions OPTIONS = Workload.tinyOptions();
    private static final Set<ErrorCode> TYPED =
            EnumSet.of(ErrorCode.CORRUPT_STORE, ErrorCode.CORRUPT_PAGE, ErrorCode.WRONG_MAGIC);

    private final MemoryDevice medium = new MemoryDevice("rot");
    private final HistoryDevice history = new HistoryDevice(medium);
    private final Workload work;
    private final int mark;
    private final long sizeBytes;
    private final byte[] image;
    private final ReadCensus census;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment oneByte = arena.allocate(1);
    private final boolean closed;
    /** The commit that it stood at when it was last looked at; -1 when it was refused. */
    private int standsAt;

    /** @param closed in order; else as a process that was killed leaves it */
    RotStore(boolean closed, long seed) {
        this.closed = closed;
        work = new Workload(new KeptDevice(history), Workload.tinyOptions(), seed);
        fill();
        if (closed) {
            work.closeJournal();
        } else {
            work.put("a", true, 9);
            work.kill();
        }
        mark = history.mark();
        sizeBytes = medium.sizeBytes();
        image = history.bytesAt(0, (int) sizeBytes);
        census = new ReadCensus(medium);
        if (look(census, OPTIONS.withReadOnly(true), work.model().lastCommit(), true) != Outcome.NO_DIFFERENCE) {
            throw new AssertionError("the store is damaged before anything was done to it");
        }
    }

    /** A snapshot, moved blocks, a checkpoint, and a log behind it, with stolen pages. */
    private void fill() {
        work.create();
        work.createVolume("a", 900L << 12, 12);
        work.createVolume("b", 8 << 15, 15);
        work.put("a", true, 0, 1, 2, 600);
        work.put("b", true, 0, 1);
        work.snapshot("a", "s");
        work.put("a", true, 2, 3);
        work.put("b", true, 0);
        work.checkpoint();
        work.clean(1);
        work.put("a", true, 1);
        work.steal("a", 5, 6);
        work.put("a", true, 3);
        work.trim("a", true, 0);
        work.resizeVolume("b", 4 << 15);
    }

    byte[] image() {
        return image;
    }

    boolean isClosed() {
        return closed;
    }

    /** Whether opening it and reading everything looks at the sector of that byte. */
    boolean isRead(int position) {
        return census.wasRead(position);
    }

    /** Writes that made the store, in order. */
    List<HistoryDevice.Change> changes() {
        return history.changes();
    }

    Outcome flip(int position, int bit) {
        put(position, (byte) (image[position] ^ 1 << bit));
        try {
            return lookReadOnly();
        } finally {
            put(position, image[position]);
        }
    }

    private void put(int position, byte value) {
        oneByte.set(ValueLayout.JAVA_BYTE, 0, value);
        medium.write(position, oneByte);
    }

    /** Has other bytes at some places: looks at it, then recovers it for good, twice. */
    Outcome replace(List<HistoryDevice.Change> damages) {
        try {
            for (HistoryDevice.Change damage : damages) {
                history.write(damage.position(), arena.allocateFrom(ValueLayout.JAVA_BYTE, damage.after()));
            }
            final Outcome found = lookReadOnly();
            recover();
            return found;
        } finally {
            history.undoTo(mark);
            medium.truncate(sizeBytes);
        }
    }

    /** However often it is recovered, it stands at what was seen before; what was cut off then is durably so. */
    private void recover() {
        for (int i = 0; i < 2; i++) {
            final int before = standsAt;
            look(new KeptDevice(history), OPTIONS.withRandom(new SplittableRandom(i)), before, false);
            if (standsAt != before) {
                throw new AssertionError("stood at commit %d, then at %d".formatted(before, standsAt));
            }
        }
    }

    // ---- look ----

    private Outcome lookReadOnly() {
        final int last = work.model().lastCommit();
        final Outcome found = look(new ReadCensus(medium), OPTIONS.withReadOnly(true), last, true);
        return found == Outcome.NO_DIFFERENCE && isToldByChecker() ? Outcome.TOLD_BY_CHECKER : found;
    }

    private Outcome look(Device device, JournalOptions options, int expected, boolean mayBeOlder) {
        standsAt = -1;
        try {
            final Journal journal = Journal.open(device, options);
            try {
                final Sighting seen = Sighting.of(journal);
                return judge(seen, expected, mayBeOlder);
            } finally {
                journal.kill();
            }
        } catch (StorageException e) {
            if (!TYPED.contains(e.code())) {
                throw new AssertionError("%s: %s".formatted(e.code(), e.getMessage()), e);
            }
            return Outcome.STORE_REFUSED;
        }
    }

    private Outcome judge(Sighting seen, int expected, boolean mayBeOlder) {
        if (expected >= 0 && seen.commitOf(work.model(), expected, expected) == expected) {
            standsAt = expected;
            return seen.isWhole() ? Outcome.NO_DIFFERENCE : Outcome.PAGES_REFUSED;
        }
        standsAt = seen.commitOf(work.model(), 0, expected - 1);
        if (standsAt < 0 || !mayBeOlder) {
            throw new AssertionError("stands at commit %d, not at %d: %s".formatted(standsAt, expected, seen));
        }
        final LogImage found = new LogImage(history.bytesAt(0, (int) sizeBytes));
        if (work.sequence(standsAt + 1) <= found.knownDurable()) {
            throw new AssertionError("stands at commit %d of %d: %s\n%s".formatted(standsAt, expected, seen, found));
        }
        return Outcome.TAIL_LOST;
    }

    /** Whether a check of the store finds fault with it. */
    private boolean isToldByChecker() {
        final List<Defect> defects = new ArrayList<>();
        try (JournalInspection inspection = JournalInspection.open(new ReadCensus(medium), defects::add)) {
            inspection.checkBatches();
        }
        return !defects.isEmpty();
    }

    @Override
    public void close() {
        work.close();
        arena.close();
        medium.close();
    }
}
