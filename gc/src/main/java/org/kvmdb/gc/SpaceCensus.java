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
 * Counts what a store's space is used for, from its maps: what is own to the versions adds up to what the segment table has
 * counted as live, since each block is own to one version.
 *
 * <p>The append lock is held for some thousand blocks at a time, and checkpoints wait. When something was committed, deleted
 * or moved meanwhile it counts again; after a few times it says that the figures are of no single moment.
 *
 * @param isExact whether nothing changed while it was counted: then {@code segments.liveBytes = pageBytes + nodeBytes +
 *     segments.dyingNodeBytes}
 * @param versions volumes and snapshots, and what is deleted and holds space yet, in order of their ids
 * @param pageBytes blocks of pages, shared ones once
 * @param nodeBytes stored map nodes, shared ones once
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
