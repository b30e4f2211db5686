package org.kvmdb.gc;

import java.util.ArrayList;
import java.util.List;
import org.kvmdb.journal.Defect;

/** Collects the defects that any thread finds: a list of the first ones, and their number. */
final class DefectLog {

    static final int LISTED_MAX = 1000;

    private final List<Defect> listed = new ArrayList<>();
    private long count;

    synchronized void add(Defect defect) {
        count++;
        if (listed.size() < LISTED_MAX) {
            listed.add(defect);
        }
    }

    synchronized List<Defect> listed() {
        return List.copyOf(listed);
    }

    synchronized long count() {
        return count;
    }
}
