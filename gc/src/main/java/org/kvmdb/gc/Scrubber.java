package org.kvmdb.gc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.BlockSurvey;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.Version;

/**
 * Reads all blocks of pages and all stored map nodes of a store in use from the device, past the caches, and verifies
 * them. A bad block is reported with all versions that hold it, and does not stop the scrub.
 *
 * <p>The append lock is held only while the map is asked for the next blocks, about a thousand at a time. The blocks
 * are read without it. So a block that does not verify may have died or moved meanwhile: then the map no longer names
 * it.
 *
 * <p>After {@link #step()} the caller must wait for {@link #pauseNanos()}. This is the time that the rate requires and,
 * when something was committed meanwhile, at least the duration of the step, so that commits get half of the device.
 *
 * <p>For one thread.
 */
public final class Scrubber implements AutoCloseable {

    private static final int PIECE_BLOCKS = 1024;
    private static final int DEFECTS_LISTED_MAX = 1000;
    private static final int TRIES = 3;
    private static final long SAVE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long YIELD_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(100);

    private final Journal journal;
    private final BlockSurvey survey;
    private final Path stateFile;
    private final long bytesPerSecond;
    private final WindowReader reader;
    private final ScrubPlan plan = new ScrubPlan();
    private final List<ScrubDefect> defects = new ArrayList<>();

    /** The piece at work: whose it is, what is still to be read of it, where the next one begins. */
    private Version version;

    private final Deque<List<Extent>> windows = new ArrayDeque<>();
    private long nextLpn;

    private final List<Extent> suspects = new ArrayList<>();
    private boolean finished;
    private boolean resumed;
    private long beganMillis = System.currentTimeMillis();
    private long pages;
    private long nodes;
    private long bytes;
    private long movedBlocks;
    private long defectCount;
    private long pauseNanos;

    /** What was found before the piece at work: as far as the plan's places that are saved. */
    private ScrubResult settled;

    private long savedNanos = System.nanoTime();

    /**
     * Begins a scrub, or goes on with one that was interrupted.
     *
     * @param stateFile where it is noted how far it is
     * @param bytesPerSecond what it reads at most; 0: as fast as the device allows
     */
    public Scrubber(Journal journal, Path stateFile, long bytesPerSecond) {
        this.journal = journal;
        this.survey = journal.survey();
        this.stateFile = stateFile;
        this.bytesPerSecond = bytesPerSecond;
        final ScrubState saved = ScrubState.load(stateFile);
        if (saved != null) {
            restore(saved);
        }
        settled = result();
        reader = new WindowReader(survey);
    }

    private void restore(ScrubState saved) {
        resumed = true;
        beganMillis = saved.result().beganMillis();
        pages = saved.result().pages();
        nodes = saved.result().nodes();
        bytes = saved.result().bytes();
        movedBlocks = saved.result().movedBlocks();
        defects.addAll(saved.result().defects());
        defectCount = saved.result().defectCount();
        plan.restore(saved.places());
    }

    /** Forgets how far an interrupted scrub was. */
    public static void forget(Path stateFile) {
        try {
            Files.deleteIfExists(stateFile);
        } catch (IOException e) {
            throw new StorageException(
                    ErrorCode.IO,
                    "cannot forget how far the last scrub was, and the next one would go on there; remove the file: " + e, e);
        }
    }

    /** A scrub that is finished has its result, whatever becomes of its file. */
    private void forgetFinished() {
        try {
            forget(stateFile);
        } catch (StorageException e) {
            System.getLogger(Scrubber.class.getName()).log(System.Logger.Level.WARNING, e.getMessage());
        }
    }

    /** Does a piece of the work; false when all is done. */
    public boolean step() {
        pauseNanos = 0;
        if (windows.isEmpty() && !finished) {
            collect();
        }
        if (!windows.isEmpty()) {
            read(windows.removeFirst());
        }
        if (windows.isEmpty() && version != null) {
            endPiece();
        }
        return !finished;
    }

    /** Asks the map for the next blocks. */
    private void collect() {
        final List<Version> versions = settle();
        final int id = plan.next();
        if (id == 0) {
            finished = true;
            forgetFinished();
            return;
        }
        final Version chosen = versions.stream().filter(v -> v.id() == id).findFirst().orElseThrow();
        final Version parent = chosen.parent();
        final List<Extent> found = new ArrayList<>();
        final BlockSurvey.Piece piece = survey.own(
                chosen, plan.cursor(id), PIECE_BLOCKS, (owner, lpn, ppn) -> found.add(new Extent(owner, lpn, ppn, 0)));
        if (piece.parent() != parent) {
            return; // a snapshot has come between, and perhaps it goes before the plan hears of it: look again
        }
        version = chosen;
        nextLpn = piece.nextLpn();
        found.sort(Extent.BY_PLACE);
        final List<Extent> once = new ArrayList<>();
        for (Extent extent : found) {
            if (once.isEmpty() || once.getLast().ppn() != extent.ppn()) {
                once.add(extent);
            }
        }
        windows.addAll(WindowReader.windows(survey, once));
    }

    /** Between two pieces: takes in how the tree stands. What is saved goes on from here. */
    private List<Version> settle() {
        final List<Version> versions = journal.versions().all();
        plan.update(versions.stream().map(Scrubber::member).toList());
        settled = result();
        return versions;
    }

    private static ScrubPlan.Member member(Version version) {
        final SnapshotEntry snapshot = version instanceof SnapshotEntry entry ? entry : null;
        return new ScrubPlan.Member(
                version.id(), version.parent() == null ? 0 : version.parent().id(),
                snapshot == null ? 0 : snapshot.volumeId(), version.familyId(), snapshot == null ? 0 : snapshot.guid(),
                version.isDeleted());
    }

    private void endPiece() {
        plan.advance(version.id(), nextLpn < 0 ? ScrubPlan.DONE : nextLpn);
        version = null;
        if (System.nanoTime() - savedNanos > SAVE_NANOS) {
            settle();
            save();
        }
    }

    private void read(List<Extent> window) {
        final long begin = System.nanoTime();
        final long sequence = journal.sequence();
        final long read = reader.verify(window, this::done);
        for (Extent suspect : suspects) {
            judge(suspect);
        }
        suspects.clear();
        final long taken = System.nanoTime() - begin;
        final long due = bytesPerSecond == 0 ? 0 : (long) ((double) read / bytesPerSecond * 1e9) - taken;
        pauseNanos = Math.max(due, journal.sequence() == sequence ? 0 : Math.min(taken, YIELD_NANOS_MAX));
    }

    private void done(Extent extent, String wrong) {
        if (extent.owner().role() == BlockOwner.Role.PAGE) {
            pages++;
        } else {
            nodes++;
        }
        bytes += extent.lengthBytes();
        if (wrong != null) {
            suspects.add(extent);
        }
    }

    /** A block that did not verify is bad if the map names it before and after it was read once more. */
    private void judge(Extent extent) {
        for (int i = 0; i < TRIES; i++) {
            if (!isCurrent(extent)) {
                movedBlocks++;
                return;
            }
            final String[] wrong = new String[1];
            reader.verify(List.of(extent), (same, fact) -> wrong[0] = fact);
            if (wrong[0] == null) {
                return;
            }
            if (i == TRIES - 1 && isCurrent(extent)) {
                report(extent, wrong[0]);
            }
        }
    }

    private boolean isCurrent(Extent extent) {
        return survey.isCurrent(version, extent.owner(), extent.lpn(), extent.ppn());
    }

    private void report(Extent extent, String fact) {
        final boolean isKnown = defects.stream().anyMatch(defect -> defect.ppn() == extent.ppn());
        if (isKnown) {
            return;
        }
        defectCount++;
        if (defects.size() < DEFECTS_LISTED_MAX) {
            final List<String> holders = survey
                    .holders(version, extent.owner(), extent.lpn(), extent.ppn())
                    .stream()
                    .map(Scrubber::nameOf)
                    .toList();
            defects.add(new ScrubDefect(
                    extent.owner().role() == BlockOwner.Role.MAP_NODE, extent.owner().volume(), extent.lpn(),
                    Math.min(extent.pages(), version.pageCount() - extent.lpn()), extent.ppn(),
                    survey.position(extent.ppn()), fact, holders));
        }
    }

    private static String nameOf(Version version) {
        return version.isDeleted() ? version.name() + " (deleted)" : version.name();
    }

    /** How long to wait before the next step. */
    public long pauseNanos() {
        return pauseNanos;
    }

    /** Bytes of blocks that were verified. */
    public long doneBytes() {
        return bytes;
    }

    /** Bytes of blocks to be verified, as far as it is known. */
    public long totalBytes() {
        return finished ? bytes : Math.max(bytes, journal.statistics().liveBytes());
    }

    public ScrubResult result() {
        return new ScrubResult(
                finished, resumed, beganMillis, pages, nodes, bytes, movedBlocks, List.copyOf(defects), defectCount);
    }

    private void save() {
        new ScrubState(settled, List.copyOf(plan.places())).save(stateFile);
        savedNanos = System.nanoTime();
    }

    /**
     * Notes how far it is, if it is not finished, and lets go of everything. A journal that was closed before is no obstacle: then
     * the piece at work, or the last one, is read again.
     */
    @Override
    public void close() {
        try (reader) {
            if (!finished) {
                settleIfOpen();
                save();
            }
        }
    }

    private void settleIfOpen() {
        try {
            if (version == null) {
                settle();
            }
        } catch (StorageException e) {
            if (e.code() != ErrorCode.CLOSED) {
                throw e;
            }
        }
    }
}
