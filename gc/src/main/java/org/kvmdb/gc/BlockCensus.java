package org.kvmdb.gc;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.JournalInspection;
import org.kvmdb.journal.VolumeEntry;

/** How many blocks there are, of what length, in which segment and of which volume. */
final class BlockCensus {

    private static final class Sum {
        private long pages;
        private long bytes;
    }

    private final JournalInspection inspection;
    private final int[] blocks;
    private final long[] live;
    private final Map<String, Sum> volumes = new HashMap<>();
    private long bytesToRead;

    BlockCensus(JournalInspection inspection) {
        this.inspection = inspection;
        blocks = new int[inspection.segmentCount()];
        live = new long[inspection.segmentCount()];
        inspection.forEachBlock((owner, lpn, ppn, crc) -> count(owner, ppn));
    }

    private void count(BlockOwner owner, long ppn) {
        final int segment = Ppn.segment(ppn);
        final int length = Ppn.lengthBytes(ppn);
        blocks[segment]++;
        switch (owner.role()) {
            case PAGE -> {
                final Sum sum = volumes.computeIfAbsent(owner.volume(), name -> new Sum());
                sum.pages++;
                sum.bytes += length;
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

    List<VolumeReport> volumes() {
        final List<VolumeReport> result = new ArrayList<>();
        for (VolumeEntry volume : inspection.volumes()) {
            final Sum sum = volumes.getOrDefault(volume.name(), new Sum());
            result.add(new VolumeReport(
                    volume.name(), volume.sizeBytes(), 1 << volume.pageShift(), sum.pages, sum.bytes));
        }
        return result;
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
