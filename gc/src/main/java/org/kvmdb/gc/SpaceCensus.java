package org.kvmdb.gc;

import java.util.ArrayList;
import java.util.List;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.BlockSurvey;
import org.kvmdb.journal.DropProgress;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.SegmentSpace;
import org.kvmdb.journal.Version;
import org.kvmdb.journal.VersionSpace;

/**
 * Counts from its maps how the space of a store is used. Each block is own to one version, so the own blocks of all
 * versions add up to the live bytes of the segment table.
 *
 * <p>The append lock is held for some thousand blocks at a time, and checkpoints wait. If something was committed,
 * deleted or moved during the count, the census counts again. After a few attempts it reports figures from different
 * moments as inexact.
 *
 * @param isExact whether nothing changed during the count: then {@code segments.liveBytes = pageBytes + nodeBytes +
 *     segments.dyingNodeBytes}
 * @param versions volumes, snapshots, and deleted versions that still hold space, in order of their ids
 * @param pageBytes blocks of pages, shared ones counted once
 * @param nodeBytes stored map nodes, shared ones counted once
 */
public record SpaceCensus(
        boolean isExact,
        List<Entry> versions,
        long pageBytes,
        long nodeBytes,
        SegmentSpace segments,
        DropProgress deletion) {

    private static final int PIECE_BLOCKS = 1 << 14;
    private static final int TRIES = 3;

    /** What a version takes. */
    public record Entry(Version version, VersionSpace space) {}

    /** Counts. */
    public static SpaceCensus take(Journal journal) {
        final BlockSurvey survey = journal.survey();
        return survey.betweenCheckpoints(() -> {
            SpaceCensus result = null;
            for (int i = 0; i < TRIES && (result == null || !result.isExact); i++) {
                final long before = survey.change();
                result = count(journal, survey, before);
            }
            return result;
        });
    }

    private static SpaceCensus count(Journal journal, BlockSurvey survey, long before) {
        final List<Entry> entries = new ArrayList<>();
        final long[] own = new long[2];
        for (Version version : journal.versions().all()) {
            entries.add(new Entry(version, journal.versions().space(version)));
            for (long lpn = 0; lpn >= 0; ) {
                lpn = survey.own(version, lpn, PIECE_BLOCKS, (owner, first, ppn) ->
                                own[owner.role() == BlockOwner.Role.PAGE ? 0 : 1] += Ppn.lengthBytes(ppn))
                        .nextLpn();
            }
        }
        final SegmentSpace segments = survey.segmentSpace();
        final DropProgress deletion = journal.versions().dropProgress();
        return new SpaceCensus(before == survey.change(), entries, own[0], own[1], segments, deletion);
    }

    /** Whether what is counted adds up; only an exact one must. */
    public boolean addsUp() {
        return segments.liveBytes() == pageBytes + nodeBytes + segments.dyingNodeBytes();
    }
}
