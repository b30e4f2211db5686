package org.kvmdb.telemetry;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What a counters file held when it was read.
 *
 * @param process that has, or had, the store open
 * @param started when it opened the store
 * @param published when it last wrote the file
 * @param isClosed whether it closed the store; else it still runs, or died
 * @param counters by name, as {@link org.kvmdb.StoreStatistics} has them: {@code log.commits}
 * @param latencies distributions in nanoseconds, by the names of {@link org.kvmdb.StoreStatistics.Latencies}
 */
public record CountersSnapshot(
        long process,
        Instant started,
        Instant published,
        boolean isClosed,
        Map<String, Long> counters,
        Map<String, Histogram> latencies) {

    private static final Duration CLOCK_TOLERANCE = Duration.ofSeconds(2);

    /** Whether the process that opened the store is there and has not closed it. Of this machine and PID namespace. */
    public boolean isRunning() {
        return !isClosed
                && ProcessHandle.of(process)
                        .filter(ProcessHandle::isAlive)
                        // A later process may have got its number.
                        .filter(handle -> handle.info()
                                .startInstant()
                                .map(start -> start.isBefore(started.plus(CLOCK_TOLERANCE)))
                                .orElse(true))
                        .isPresent();
    }

    /** Zero when there is none of that name, as in a file of an older version. */
    public long counter(String name) {
        return counters.getOrDefault(name, 0L);
    }

    /** Empty when there is none of that name. */
    public Histogram latency(String name) {
        final Histogram found = latencies.get(name);
        return found == null ? new Histogram(2) : found;
    }
}
