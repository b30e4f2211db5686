package org.kvmdb.tools.peers;

import java.util.List;

/** All of them, in the order in which they run: the bulk load comes first, since its data serve others. */
final class Works {

    private static final List<Work> ALL = List.of(
            new HitsWork(),
            new LoadWork(),
            new ReadsWork(),
            new ScanWork(),
            new SnapshotWork(),
            new SafepointWork(),
            new CommitWork(),
            new TransactionsWork(),
            new StallWork(),
            new OpenWork());

    private Works() {}

    static List<Work> all() {
        return ALL;
    }

    /** Null when there is none. */
    static Work find(String name) {
        return ALL.stream().filter(work -> work.name().equals(name)).findFirst().orElse(null);
    }

    static Work of(String name) {
        Work work = find(name);
        if (work == null) {
            throw new IllegalArgumentException("no work '" + name + "'");
        }
        return work;
    }
}
