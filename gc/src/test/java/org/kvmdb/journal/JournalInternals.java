package org.kvmdb.journal;

import org.kvmdb.ffi.Ppn;

/** Reaches into a journal to plant what only a bug could: structures that are sealed in order and wrong. */
public final class JournalInternals {

    private final SegmentTable segments;
    private final PageMap map;

    private JournalInternals(Journal journal) {
        segments = (SegmentTable) field(journal, "segments");
        map = (PageMap) field(journal, "map");
    }

    public static JournalInternals of(Journal journal) {
        return new JournalInternals(journal);
    }

    private static Object field(Journal journal, String name) {
        try {
            final java.lang.reflect.Field field = Journal.class.getDeclaredField(name);
            field.setAccessible(true);
            return field.get(journal);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Counts a block as live once more. */
    public void addLive(long ppn) {
        segments.addLive(ppn);
    }

    /** Points a page to a block. */
    public void map(VolumeEntry volume, long lpn, long ppn) {
        map.set(volume, lpn, ppn);
    }

    /** Calls the segment of a block free, all that is alive in it notwithstanding; returns what was. */
    public int declareFree(Journal journal, long ppn) {
        final int segment = Ppn.segment(ppn);
        final int live = segments.live(segment);
        for (int left = live; left > 0; ) {
            final int part = Math.min(left, 64 << 10);
            segments.removeLive(Ppn.pack(segment, 128, part));
            left -= part;
        }
        segments.state(segment, SegmentState.FREE);
        return live;
    }
}
