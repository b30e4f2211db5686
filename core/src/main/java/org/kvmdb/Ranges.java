package org.kvmdb;

import java.util.ArrayDeque;
import java.util.Deque;

/** Joins pages, which arrive one by one and in order, to ranges. Shows a range once no later page can extend it. */
final class Ranges {

    private record Range(long firstLpn, long endLpn, boolean isHole) {}

    private final int pageShift;
    private final ChangeVisitor visitor;
    private final Deque<Range> complete = new ArrayDeque<>();
    private Range open;

    Ranges(int pageShift, ChangeVisitor visitor) {
        this.pageShift = pageShift;
        this.visitor = visitor;
    }

    /** @param ppn 0 for a hole */
    void add(long lpn, long ppn) {
        final boolean isHole = ppn == 0;
        if (open != null && open.endLpn == lpn && open.isHole == isHole) {
            open = new Range(open.firstLpn, lpn + 1, isHole);
            return;
        }
        if (open != null) {
            complete.add(open);
        }
        open = new Range(lpn, lpn + 1, isHole);
    }

    void show() {
        while (!complete.isEmpty()) {
            final Range range = complete.remove();
            visitor.changed(
                    range.firstLpn << pageShift, range.endLpn - range.firstLpn << pageShift, range.isHole);
        }
    }

    void end() {
        if (open != null) {
            complete.add(open);
            open = null;
        }
        show();
    }
}
