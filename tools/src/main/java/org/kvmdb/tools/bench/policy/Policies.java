package org.kvmdb.tools.bench.policy;

import java.util.LinkedHashMap;
import java.util.Map;

/** What is compared. */
public final class Policies {

    private Policies() {}

    /** By name, in the order in which they are reported. */
    public static Map<String, Policy.Maker> all() {
        final Map<String, Policy.Maker> all = new LinkedHashMap<>();
        all.put("ours", (trace, pages, capacity) -> new TwoQueues(pages, capacity, 0, 0.1, 0.25));
        all.put("ours, small 1/4", (trace, pages, capacity) -> new TwoQueues(pages, capacity, 0, 0.25, 0.25));
        all.put("ours, ghost 1/2", (trace, pages, capacity) -> new TwoQueues(pages, capacity, 0, 0.1, 0.5));
        all.put("ours, ghost 1", (trace, pages, capacity) -> new TwoQueues(pages, capacity, 0, 0.1, 1));
        all.put("S3-FIFO", (trace, pages, capacity) -> new TwoQueues(pages, capacity, 3, 0.1, 1));
        all.put("CLOCK", (trace, pages, capacity) -> new Clock(pages, capacity));
        all.put("LRU", (trace, pages, capacity) -> new Lru(capacity));
        all.put("Belady", Belady::new);
        return all;
    }
}
