package org.kvmdb.journal;

import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.RecordingDevice;
import org.kvmdb.journal.simulation.RewindingDevice;

/**
 * Opens crash states of one workload with the real recovery and says what is wrong. What is recovered must be a prefix of
 * the commits, from the last acknowledged one on and not beyond the last issued one; every page must be the model's; and
 * space recomputed must be the space that is stored. On some states, chosen by the hash of their image, also: two
 * recoveries of the same image leave the same bytes, what was recovered is recovered again, a recovery is cut off at each
 * of its own writes (and the recovery of that, too), and the store goes on to be written to. For one thread.
 */
final class StateCheck {

    /** How often more is done with a state: with one in so many; 0: never. */
    record Rates(int repeatedOneIn, int writtenOneIn, int cutOffOneIn, int innerOneIn, int depthMax) {

        static final Rates NONE = new Rates(0, 0, 0, 0, 0);
        static final Rates USUAL = new Rates(64, 96, 96, 3, 3);
        static final Rates ALL = new Rates(1, 1, 1, USUAL.innerOneIn, USUAL.depthMax);
    }

    /** What a state is, for the report: those of the walk, and behind them crashes in recoveries. */
    static final int KINDS_OF_WALK = CrashStates.Kind.values().length;

    static final int DEPTH_MAX = 3;

    static final int KINDS = KINDS_OF_WALK + DEPTH_MAX;

    private static final CrashStates.Limits RECOVERY_LIMITS = new CrashStates.Limits(0, 4, 0, 2, 1, false);
    private static final int VERSIONS_GO_ON_AT = 1_000_000;
    private static final int STEPS_WRITTEN = 4;
    private static final long NOT_LOADED_MASK = 3;

    private final StoreModel model;
    private final JournalOptions options;
    private final CheckedImages images;
    private final Rates rates;
    private final CampaignTally tally;
    private final long seed;
    private long opened;

    /** @param tally hears of images that were not known, or null */
    StateCheck(
            StoreModel model, JournalOptions options, CheckedImages images, Rates rates, long seed, CampaignTally tally) {
        this.model = model;
        this.options = options;
        this.images = images;
        this.rates = rates;
        this.seed = seed;
        this.tally = tally;
    }

    static String kindName(int kind) {
        return switch (kind - KINDS_OF_WALK) {
            case 0 -> "crash in recovery";
            case 1 -> "crash in the recovery of a recovery";
            case 2 -> "crash in the third recovery";
            default -> CrashStates.Kind.values()[kind].toString();
        };
    }

    /** Stores that were opened to look at a state for the first time. */
    long opened() {
        return opened;
    }

    void check(CrashStates.State state) {
        try {
            check(state, 0);
        } catch (WrongState e) {
            throw e.depth == 0 ? e : new WrongState(state, 0, e);
        }
    }

    private void check(CrashStates.State state, int depth) {
        final int kind = depth == 0 ? state.kind().ordinal() : KINDS_OF_WALK + depth - 1;
        try {
            final long known = images.find(state.imageHash(), kind);
            if (known == CheckedImages.UNKNOWN) {
                checkNew(state, kind, depth);
            } else if (!isExpected(known, state)) {
                recover(state.device(), state); // says what is wrong
                throw new AssertionError("the image was recovered to something else before");
            }
        } catch (WrongState e) {
            throw e;
        } catch (RuntimeException | AssertionError e) {
            throw new WrongState(state, depth, e);
        }
    }

    /** A state that was wrong. */
    static final class WrongState extends AssertionError {
        private static final long serialVersionUID = 1;

        private final long imageHash;
        private final int depth;

        WrongState(CrashStates.State state, int depth, Throwable cause) {
            super("%s%s: %s".formatted(depth == 0 ? "" : "crash in recovery, depth " + depth + ", ", state, cause), cause);
            this.imageHash = state.imageHash();
            this.depth = depth;
        }

        long imageHash() {
            return imageHash;
        }
    }

    /** A refusal to open, or to read a page, by its code; else what was found, which is a commit of the expected ones. */
    private record Found(long outcome, int commit) {
        boolean isRefused() {
            return commit < 0;
        }
    }

    private static boolean mayRefuse(CrashStates.State state) {
        return state.acked() < 0 || state.kind() == CrashStates.Kind.LYING_FLUSH;
    }

    private static long refusal(StorageException e) {
        return CheckedImages.outcome(1 + e.code().ordinal());
    }

    private static boolean isRefusal(long outcome) {
        return outcome > 0 && outcome <= CheckedImages.outcome(ErrorCode.values().length);
    }

    private boolean isExpected(long outcome, CrashStates.State state) {
        for (int commit = state.issued(); commit >= Math.max(0, state.acked()); commit--) {
            if (CheckedImages.outcome(model.contentHash(commit)) == outcome) {
                return true;
            }
        }
        return mayRefuse(state) && isRefusal(outcome);
    }

    private JournalOptions optionsFor(CrashStates.State state) {
        return options.withRandom(new SplittableRandom(state.imageHash()));
    }

    private Found recover(RewindingDevice device, CrashStates.State state) {
        try {
            final Journal journal = Journal.open(device, optionsFor(state));
            try {
                return found(journal, state, state.acked(), state.issued());
            } finally {
                journal.kill();
            }
        } catch (StorageException e) {
            if (!mayRefuse(state)) {
                throw e;
            }
            return new Found(refusal(e), -1);
        }
    }

    /** Mostly with all maps in memory, as when snapshots are mapped: reading node by node takes twice as long. */
    private Found found(Journal journal, CrashStates.State state, int acked, int issued) {
        if ((state.imageHash() & NOT_LOADED_MASK) != 0) {
            journal.versions().all().stream().filter(version -> !version.isDeleted()).forEach(journal.versions()::openMap);
        }
        final Map<String, StoreModel.Volume> content = StoreModel.read(journal);
        final int commit = model.commitOf(content, acked, issued);
        SpaceCheck.check(journal);
        return new Found(CheckedImages.outcome(model.contentHash(commit)), commit);
    }

    private void checkNew(CrashStates.State state, int kind, int depth) {
        opened++;
        final RewindingDevice device = state.device();
        final Found found = recover(device, state);
        if (images.keep(state.imageHash(), kind, found.outcome) && tally != null) {
            tally.isNew(state.imageHash());
            tally.trace(CampaignTally.mix(state.imageHash()) ^ found.outcome);
        }
        if (found.isRefused() || mayRefuse(state)) {
            return;
        }
        final long choice = CampaignTally.mix(state.imageHash() ^ seed);
        if (isChosen(choice, 1, rates.repeatedOneIn)) {
            recoverAgain(device, state, found);
        }
        if (isChosen(choice, 2, rates.writtenOneIn)) {
            goOn(state, found);
        }
        if (depth < rates.depthMax && isChosen(choice, 3, depth == 0 ? rates.cutOffOneIn : 2 * rates.innerOneIn)) {
            cutOff(state, found, depth + 1);
        }
    }

    private static boolean isChosen(long choice, int what, int oneIn) {
        return oneIn > 0 && Long.remainderUnsigned(CampaignTally.mix(choice + what), oneIn) == 0;
    }

    /** The device holds what the first recovery left. */
    private void recoverAgain(RewindingDevice device, CrashStates.State state, Found found) {
        final byte[] first = device.image();
        expectSame("the second recovery of the same image", found, recover(state.device(), state));
        final byte[] second = device.image();
        final int differs = Arrays.mismatch(first, second);
        if (differs >= 0) {
            throw new AssertionError("two recoveries of the same image differ at byte " + differs);
        }
        device.reopen();
        expectSame("the recovery of what was recovered", found, recover(device, state));
    }

    private static void expectSame(String what, Found expected, Found found) {
        if (found.outcome != expected.outcome) {
            throw new AssertionError(
                    "%s finds commit %d, the first found %d".formatted(what, found.commit, expected.commit));
        }
    }

    /** A store that was recovered takes commits, is closed and opened. */
    private void goOn(CrashStates.State state, Found found) {
        final RewindingDevice device = state.device();
        final StoreModel then = StoreModel.of(model.state(found.commit));
        try (Workload work = new Workload(device, options, state.imageHash(), then, VERSIONS_GO_ON_AT)) {
            work.reopen();
            for (int i = 0; i < STEPS_WRITTEN; i++) {
                work.randomStep();
            }
            work.checkpoint();
            SpaceCheck.check(work.journal());
            work.closeJournal();
            work.reopen();
            SpaceCheck.check(work.journal());
        }
    }

    /**
     * The power goes while a recovery writes: after the process alone had died, so that what it wrote is not yet durable
     * either; the same after a flush had failed; or after the power had gone, when recovering can find nothing else than it
     * did before.
     */
    private void cutOff(CrashStates.State state, Found found, int depth) {
        final int before = (int) Long.remainderUnsigned(state.imageHash(), 3);
        final RecordingDevice device = switch (before) {
            case 0 -> state.killed();
            case 1 -> state.unflushable();
            default -> new RecordingDevice(state.materialize());
        };
        final int acked = before < 2 ? state.acked() : found.commit;
        final int issued = before < 2 ? state.issued() : found.commit;
        try {
            final Journal journal = Journal.open(device, optionsFor(state));
            try {
                device.acked(found(journal, state, acked, issued).commit);
            } finally {
                journal.kill();
            }
            new CrashStates(device, state.imageHash(), RECOVERY_LIMITS, crashed -> {
                if (isChosen(crashed.imageHash() ^ seed, 4, rates.innerOneIn)) {
                    check(crashed, depth);
                }
            }).walk(0, acked, issued);
        } finally {
            device.dispose();
        }
    }
}
