package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.FaultyDevice.Operation;
import org.kvmdb.journal.simulation.HistoryDevice;

/**
 * Runs one case and says whether the store did what it must. What must hold:
 *
 * <p><b>Always.</b> Whatever is thrown is a {@link StorageException} that says what happened. No page is shown that is not of
 * its place, its volume and the commit that the store stands at (I4); the store stands at a commit as a whole (I2, I3).
 * Whoever failed to open the device gave it back. After the end of the fault all of it holds again when the store is
 * opened twice more (I7).
 *
 * <p><b>Failed writes and flushes.</b> The store is FAILED and acknowledges nothing more before it is opened again (I9);
 * what it held stays readable; opened on a device that works, it has all acknowledged commits (I1), and its account of
 * space is right.
 *
 * <p><b>Reads.</b> They never make the store FAILED.
 *
 * <p><b>Reads that fail, or are wrong once.</b> The pages concerned are refused or read again; the rest is readable, and
 * commits go on. Nothing that was acknowledged is lost by them, neither now nor later, also when they befall a recovery.
 *
 * <p><b>Reads that are wrong persistently</b>, as long as they are. Pages may be refused, and so may the store.
 *
 * <p><b>Lost and misdirected writes, lying flushes.</b> Pages may be refused, and so may the store. It stands at an older
 * commit than acknowledged only if it <em>cannot know</em>: when neither a superblock nor a batch of the log that is
 * there, valid and in its place, says that the first missing commit was durable. So it is when the last write before a
 * kill was lost, for nothing was written after it. Such cases are counted apart. The same holds of a recovery that a
 * persistently wrong read hid the tail from.
 *
 * <p><b>Two silent faults, one upon the other.</b> The store may stand at any older commit, as a whole.
 */
final class FaultRun implements Workload.Judge {

    /** How a case ended, from the best to the worst of what is right. */
    enum Outcome {
        NOT_REACHED("not reached"),
        WHOLE("all there"),
        BAD_PAGES("pages refused"),
        TAIL_LOST("tail lost that nothing on the medium tells of"),
        REFUSED("store refused");

        private final String text;

        Outcome(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    /** How it ended, and the commit that the store stands at; -1 when it was refused. */
    record Result(Outcome outcome, int commit) {}

    private static final Set<ErrorCode> TYPED = EnumSet.of(
            ErrorCode.IO, ErrorCode.FAILED, ErrorCode.CORRUPT_PAGE, ErrorCode.CORRUPT_STORE, ErrorCode.WRONG_MAGIC);

    private final Fault fault;
    private final Operation operation;
    private final boolean persistent;
    private final FaultyDevice device;
    private final HistoryDevice history;
    private final Workload work;
    private final boolean endsKilled;
    /** Another fault befell the store before, of which no device told. */
    private final boolean alreadySilent;

    private int openMark;
    private boolean healed;
    private boolean tailLost;
    private boolean pagesBad;

    FaultRun(FaultCase one, FaultyDevice device, HistoryDevice history, Workload work, boolean alreadySilent) {
        this.alreadySilent = alreadySilent;
        this.fault = one.fault();
        this.operation = one.operation();
        this.persistent = one.persistent();
        this.device = device;
        this.history = history;
        this.work = work.withJudge(this);
        endsKilled = (one.hash() & 1) != 0;
    }

    /** Puts the fault into a workload and looks what becomes of it. */
    static Result run(FaultCase one, PreparedStore prepared) {
        prepared.reset();
        final FaultyDevice device = new FaultyDevice(
                prepared.history(), one.operation(), one.fault(), -1, one.persistent(), one.hash());
        try (Workload work = prepared.workload(device, one.seed() + 1)) {
            if (prepared.hasStore() && !one.script().opensFaulty()) {
                work.reopen();
            }
            device.failAt(one.index());
            return new FaultRun(one, device, prepared.history(), work, false).run(() -> one.script().run(work));
        }
    }

    Result run(Runnable body) {
        StorageException thrown = null;
        try {
            body.run();
        } catch (StorageException e) {
            thrown = e;
        }
        if (!device.wasHit()) {
            if (thrown != null && !alreadySilent) {
                throw new AssertionError("threw without a fault", thrown);
            }
            return new Result(Outcome.NOT_REACHED, 0);
        }
        if (thrown != null) {
            checkTyped(thrown);
        }
        if (work.isCreated() && !device.isClosed()) {
            lookInSession();
            end();
        }
        if (persistent && fault != Fault.LYING) {
            reopenUnhealed();
        }
        device.heal();
        healed = true;
        return work.isCreated() ? reopen() : openUncreated();
    }

    private void checkTyped(StorageException e) {
        if (tailLost) {
            return; // steps that follow may miss the volumes that were lost with it
        }
        final boolean isFull = e.code() == ErrorCode.STORE_FULL && fault == Fault.ENOSPC;
        if (!isFull && !TYPED.contains(e.code())) {
            throw new AssertionError("%s: %s".formatted(e.code(), e.getMessage()), e);
        }
    }

    // ---- in the session ----

    private boolean isWriteOrFlush() {
        return operation == Operation.WRITE || operation == Operation.FLUSH;
    }

    private boolean isFailed() {
        return work.journal().parts().failure().isFailed();
    }

    private void lookInSession() {
        if (fault.isLoud() && isWriteOrFlush()) {
            checkFailed();
        }
        final Sighting seen = look(work.journal());
        if (seen.commitOf(work.model(), work.applied(), work.issued()) < 0) {
            throw new AssertionError("shows no state between commit %d and %d: %s\nwhere %s"
                    .formatted(work.applied(), work.issued(), seen, work.model().state(work.applied())));
        }
        if (operation == Operation.READ && fault != Fault.VANISH) {
            checkNotFailed();
            if (!persistent) {
                work.giveUp();
                work.createVolume("probe", 4096, 12);
            }
        }
    }

    private void checkNotFailed() {
        try {
            work.journal().parts().failure().check();
        } catch (StorageException e) {
            throw new AssertionError("a store fails for a read that went wrong: " + e.getMessage(), e);
        }
    }

    /** Nothing is acknowledged any more. */
    private void checkFailed() {
        final Journal journal = work.journal();
        checkFails(journal::flush);
        checkFails(journal::beginAppend);
        checkFails(journal::checkpoint);
        checkFails(() -> journal.createVolume("refused", 4096, 12));
    }

    private static void checkFails(Runnable action) {
        try {
            action.run();
        } catch (StorageException e) {
            if (e.code() == ErrorCode.FAILED) {
                return;
            }
            throw new AssertionError("%s after a failed write or flush".formatted(e.code()), e);
        }
        throw new AssertionError("a store goes on after a failed write or flush");
    }

    /** As the process ends, or as users close. */
    private void end() {
        try {
            if (endsKilled) {
                work.kill();
            } else if (isFailed()) {
                work.journal().close();
            } else {
                work.closeJournal();
            }
        } catch (StorageException e) {
            checkTyped(e);
        }
        checkClosed();
    }

    private void checkClosed() {
        if (!device.isClosed()) {
            throw new AssertionError("the device was left open");
        }
    }

    // ---- opened again ----

    private void reopenUnhealed() {
        if (!work.isCreated()) {
            return;
        }
        try {
            work.reopen();
            work.kill();
        } catch (StorageException e) {
            checkTyped(e);
            if (fault.isLoud() && operation == Operation.READ && e.code() == ErrorCode.CORRUPT_PAGE) {
                throw new AssertionError("a page that cannot be read is called corrupt when the store is opened", e);
            }
            if (!device.isClosed()) {
                work.kill();
            }
        }
    }

    private Result reopen() {
        try {
            work.reopen();
        } catch (StorageException e) {
            checkTyped(e);
            checkClosed();
            if (!mayBeRefused()) {
                throw new AssertionError("a store that lost nothing was refused: " + e.getMessage(), e);
            }
            return new Result(Outcome.REFUSED, -1);
        }
        if (!mayBeRefused()) {
            SpaceCheck.check(work.journal());
        }
        final int commit = work.issued();
        work.kill();
        work.reopen();
        if (work.issued() != commit) {
            throw new AssertionError("recovered commit %d, then %d".formatted(commit, work.issued()));
        }
        if (!pagesBad && !mayBeRefused()) {
            work.createVolume("after", 4096, 12);
            work.closeJournal();
        } else {
            work.kill();
        }
        return new Result(tailLost ? Outcome.TAIL_LOST : pagesBad ? Outcome.BAD_PAGES : Outcome.WHOLE, commit);
    }

    /** Making the store failed: what there is of it is a store or is none. */
    private Result openUncreated() {
        device.reopen();
        try {
            Journal.open(device, work.options()).kill();
            return new Result(Outcome.WHOLE, 0);
        } catch (StorageException e) {
            checkTyped(e);
            return new Result(Outcome.REFUSED, -1);
        }
    }

    // ---- judge ----

    /** What was written may not be there, or not where it belongs. */
    private boolean mayBeRefused() {
        return alreadySilent || fault.isSilent() && isWriteOrFlush();
    }

    private boolean isWrongNow() {
        return operation == Operation.READ && persistent && !healed && device.wasHit();
    }

    /** What it shows; a page that a read failed of once is asked for again. */
    private Sighting look(Journal journal) {
        final Sighting first = Sighting.of(journal);
        final boolean asksAgain = !first.isWhole() && operation == Operation.READ && !persistent && fault != Fault.VANISH;
        final Sighting seen = asksAgain ? Sighting.of(journal) : first;
        final boolean mayBeBad = mayBeRefused() || isWrongNow() || fault == Fault.VANISH && !healed;
        if (!seen.isWhole() && !mayBeBad) {
            throw new AssertionError("pages are bad that nothing happened to: " + seen);
        }
        pagesBad |= !seen.isWhole() && healed;
        return seen;
    }

    @Override
    public void opens() {
        openMark = history.mark();
    }

    @Override
    public int commitOf(Journal journal, Workload same) {
        final Sighting seen = look(journal);
        final int commit = seen.commitOf(work.model(), work.acked(), work.issued());
        if (commit >= 0) {
            return commit;
        }
        final int older = seen.commitOf(work.model(), 0, work.acked() - 1);
        if (older < 0) {
            throw new AssertionError("stands at no commit, acked=%d issued=%d: %s\nacked: %s\nissued: %s".formatted(
                    work.acked(), work.issued(), seen, work.model().state(work.acked()),
                    work.model().state(work.issued())));
        }
        final boolean isExcused = mayBeRefused() || isWrongNow() && fault.isSilent();
        final boolean isTwice = alreadySilent && fault.isSilent();
        final LogImage medium = medium();
        if (!isExcused || !isTwice && work.sequence(older + 1) <= medium.knownDurable()) {
            throw new AssertionError(
                    "stands at commit %d, where %d was acknowledged; batch %d is of the first missing one\n%s"
                            .formatted(older, work.acked(), work.sequence(older + 1), medium));
        }
        tailLost = true;
        return older;
    }

    /** What the medium showed to the recovery. */
    private LogImage medium() {
        final byte[] image = history.imageAt(openMark);
        if (!healed) {
            device.showWrong(MemorySegment.ofArray(image));
        }
        return new LogImage(image);
    }
}
