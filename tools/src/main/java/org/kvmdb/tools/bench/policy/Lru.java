package org.kvmdb.tools.bench.policy;

import java.util.LinkedHashMap;
import java.util.Map;

/** Evicts the page that was not used for the longest time. */
final class Lru implements Policy {

    private final Map<Integer, Boolean> pages;

    Lru(int capacity) {
        pages = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Integer, Boolean> eldest) {
                return size() > capacity;
            }
        };
    }

    @Override
    public boolean access(int page) {
        return pages.put(page, Boolean.TRUE) != null;
    }
}
