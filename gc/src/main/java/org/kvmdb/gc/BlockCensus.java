package org.kvmdb.gc;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.JournalInspection;

/** Counts blocks by length, segment and volume. */
final class BlockCensus {

    private final JournalInspection inspection;
    private final int[] blocks;
    private final long[] live;
    /** Of what is not deleted. */
    private final Set<String> names;

    private long bytesToRead;
    private long pages;
    private long pageBytes;
    private long pageBlockBytes;

    BlockCensus(JournalInspection inspection) {
        this.inspection = inspection;
        blocks = new int[inspection.segmentCount()];
        live = new long[inspection.segmentCount()];
        names = volumes().stream().map(VolumeReport::name).collect(Collectors.toSet());
        inspection.forEachBlock((owner, lpn, ppn, crc) -> count(owner, ppn));
    }

    private void count(BlockOwner owner, long ppn) {
        final int segment = Ppn.segment(ppn);
        final int length = Ppn.lengthBytes(ppn);
        blocks[segment]++;
        switch (owner.role()) {
            case PAGE -> {
                if (names.contains(owner.volume())) {
                    pages++;
                    pageBlockBytes += length;
                    pageBytes += 1L << owner.pageShift();
                }
                live[segment] += length;
                bytesToRead += length;
            }
            case MAP_NODE -> live[segment] += length;
            case METADATA -> {} // not accounted: the next checkpoint writes all of it anew
            case LOG -> bytesToRead += length;
        }
    }

    /** Bytes of blocks of pages and of the log; a block that is both counts twice. */
    long bytesToRead() {
        return bytesToRead;
    }

    long liveBytes(int segment) {
        return live[segment];
    }

    /** Pages with a block of their own: what versions share counts once. */
    long pages() {
        return pages;
    }

    /** Bytes of those pages. */
    long pageBytes() {
        return pageBytes;
    }

    /** Bytes of their blocks. */
    long pageBlockBytes() {
        return pageBlockBytes;
    }

    /** Volumes, then snapshots. */
    List<VolumeReport> volumes() {
        return Stream.concat(inspection.volumes().stream(), inspection.snapshots().stream())
                .map(version -> new VolumeReport(
                        version.name(), version.sizeBytes(), 1 << version.pageShift(), version.referencedPages(),
                        version.referencedBytes()))
                .toList();
    }

    /** One past the last segment such that those from the first on hold no more blocks than that; one segment at least. */
    int endOfPass(int firstSegment, int blocksMax) {
        long sum = 0;
        int segment = firstSegment;
        while (segment < blocks.length && (segment == firstSegment || sum + blocks[segment] <= blocksMax)) {
            sum += blocks[segment++];
        }
        return segment;
    }

    /** The blocks of a range of segments in the order of their place. */
    Extent[] extents(int firstSegment, int endSegment) {
        int count = 0;
        for (int i = firstSegment; i < endSegment; i++) {
            count += blocks[i];
        }
        final Extent[] result = new Extent[count];
        if (count > 0) {
            final int[] next = {0};
            inspection.forEachBlock((owner, lpn, ppn, crc) -> {
                final int segment = Ppn.segment(ppn);
                if (segment >= firstSegment && segment < endSegment) {
                    result[next[0]++] = new Extent(owner, lpn, ppn, crc);
                }
            });
            Arrays.sort(result, Extent.BY_PLACE);
        }
        return result;
    }
}
