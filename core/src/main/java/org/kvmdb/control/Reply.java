package org.kvmdb.control;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An answer that was collected, from a socket or from an operation that ran here. */
public final class Reply implements Answer {

    /** Told how far an operation has come, on the thread that waits for it. */
    @FunctionalInterface
    public interface ProgressListener {
        void reached(long done, long total, String unit);
    }

    private final ProgressListener listener;
    private final Values facts = new Values();
    private final Map<String, List<Values>> tables = new LinkedHashMap<>();

    public Reply(ProgressListener listener) {
        this.listener = listener;
    }

    public Values facts() {
        return facts;
    }

    /** All rows of a table, none when the answer has no such table. */
    public List<Values> rows(String table) {
        return List.copyOf(tables.getOrDefault(table, List.of()));
    }

    @Override
    public void fact(String name, Object value) {
        facts.with(name, value);
    }

    @Override
    public void row(String table, Values values) {
        tables.computeIfAbsent(table, name -> new ArrayList<>()).add(values);
    }

    @Override
    public void progress(long done, long total, String unit) {
        listener.reached(done, total, unit);
    }

    @Override
    public boolean isCancelled() {
        return false;
    }
}
