package org.kvmdb.tools.crashtest;

import java.util.List;
import org.kvmdb.tools.Facts;

/**
 * How much of the same others try, as their own sources or papers say.
 *
 * @param system whose proof it is
 * @param what is tried
 * @param source where that is written
 */
record PeerFigure(String system, String what, String source) {

    private static final List<PeerFigure> ALL = List.of(
            new PeerFigure("H2", "1,000 torn and 2 x 1,000 reordered writes", "its tests TestReorderWrites, TestPowerOff"),
            new PeerFigure("RocksDB", "50 kills a run", "db_crashtest.py"),
            new PeerFigure("SQLite", "several damages for each snapshot of a crash", "its crash tests"),
            new PeerFigure("CrashMonkey", "3.37 million workloads", "OSDI 2018, on file systems"),
            new PeerFigure("xfstests", "84 + 49 tests that shut down, 36 with device errors", "its groups"));

    static List<Facts> rows() {
        return ALL.stream()
                .map(peer -> new Facts()
                        .text("system", "system", peer.system)
                        .text("tries", "what", peer.what)
                        .text("source", "source", peer.source))
                .toList();
    }
}
