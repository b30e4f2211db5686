package org.kvmdb.journal;

import java.util.Arrays;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;

/** Recomputes from the maps what the segment table and the space account hold. */
final class SpaceCheck {

    private final JournalParts parts;
    private final int[] live;

    private SpaceCheck(JournalParts parts) {
        this.parts = parts;
        live = new int[parts.segments().count()];
    }

    /** Of a store in which nothing is being written. */
    static void check(Journal journal) {
        final SpaceCheck check = new SpaceCheck(journal.parts());
        for (VolumeEntry volume : journal.volumes()) {
            check.add(volume.mapRoot(), MapNodeDescriptor.HEIGHT - 1);
        }
        check.parts.map().deaths().forEach(check::add);
        check.compareLive();
        check.compareAvailable(journal);
    }

    private void add(int node, int level) {
        if (parts.arena().ppn(node) != 0) {
            add(parts.arena().ppn(node));
        }
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
            final long entry = parts.arena().entry(node, i);
            if (entry != 0 && level == 0) {
                add(entry);
            } else if (entry != 0) {
                add(MapNodeDescriptor.childNode(entry), level - 1);
            }
        }
    }

    private void add(long ppn) {
        live[Ppn.segment(ppn)] += Ppn.lengthBytes(ppn);
    }

    private void compareLive() {
        final SegmentTable segments = parts.segments();
        if (!Arrays.equals(live, segments.liveCopy())) {
            throw new AssertionError("live bytes: recomputed=%s stored=%s"
                    .formatted(Arrays.toString(live), Arrays.toString(segments.liveCopy())));
        }
        if (segments.liveBytes() != Arrays.stream(live).asLongStream().sum()) {
            throw new AssertionError("sum of live bytes: " + segments.liveBytes());
        }
        for (int i = 0; i < live.length; i++) {
            if (live[i] != 0 && segments.state(i) == SegmentState.FREE) {
                throw new AssertionError("segment %d is free and holds %d live bytes".formatted(i, live[i]));
            }
        }
    }

    private void compareAvailable(Journal journal) {
        final SegmentTable segments = parts.segments();
        final long grown = (journal.space().grantedBytes() - SuperblockDescriptor.SEGMENTS_OFFSET)
                / segments.segmentSizeBytes() - segments.count();
        final long expected = (segments.freeCount() + grown) * segments.segmentSizeBytes()
                - parts.counters().reserveBytes;
        if (journal.space().availableBytes() != expected) {
            throw new AssertionError("available: recomputed=%d account=%d free=%d grown=%d reserve=%d".formatted(
                    expected, journal.space().availableBytes(), segments.freeCount(), grown,
                    parts.counters().reserveBytes));
        }
        final int free = segments.countOf(SegmentState.FREE);
        if (segments.freeCount() + segments.holeCount() != free) {
            throw new AssertionError("free lists hold %d + %d segments, %d are free"
                    .formatted(segments.freeCount(), segments.holeCount(), free));
        }
    }
}
