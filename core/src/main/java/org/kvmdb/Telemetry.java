package org.kvmdb;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.kvmdb.cache.BackgroundAgent;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.telemetry.CountersPublisher;

/**
 * Copies the counters of a store to its counters file, four times a second. The first copy follows the open, which does
 * not wait for it.
 */
final class Telemetry implements Agent, AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Telemetry.class.getName());
    private static final long PERIOD_NANOS = 250_000_000;

    private final StoreFigures figures;
    private final CountersPublisher publisher;
    private final BackgroundAgent running;

    private Telemetry(StoreFigures figures, CountersPublisher publisher) {
        this.figures = figures;
        this.publisher = publisher;
        this.running = new BackgroundAgent(this, new SleepingIdleStrategy(PERIOD_NANOS), Telemetry::report);
    }

    /** Empty, with a warning in the log, when the file cannot be created: a store opens without its counters file. */
    static Optional<Telemetry> open(Path storeDirectory, StoreFigures figures) {
        try {
            return Optional.of(publishing(figures, CountersPublisher.create(storeDirectory)));
        } catch (IOException | StorageException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "no counters file, kvmdb stats and top will not see the store %s: %s"
                            .formatted(storeDirectory, StoreDirectory.reason(e)));
            return Optional.empty();
        }
    }

    private static Telemetry publishing(StoreFigures figures, CountersPublisher publisher) {
        try {
            return new Telemetry(figures, publisher);
        } catch (RuntimeException | Error e) {
            publisher.close();
            throw e;
        }
    }

    private static void report(Throwable failure) {
        LOG.log(System.Logger.Level.DEBUG, "counters not published", failure);
    }

    private static void closeQuietly(CountersPublisher publisher) {
        try {
            publisher.close();
        } catch (InternalError e) {
            report(e);
        }
    }

    @Override
    public int doWork() {
        publish();
        return 0;
    }

    private void publish() {
        final Map<String, Histogram> latencies = figures.latencies();
        publisher.publish(figures.statistics(latencies).values(), latencies);
    }

    @Override
    public String roleName() {
        return "kvmdb-telemetry";
    }

    /** Writes the last figures, and marks the store as closed. Called before the store's parts are closed. */
    @Override
    public void close() {
        running.close();
        try {
            publish();
        } catch (RuntimeException | InternalError e) {
            report(e); // closing goes on, also when somebody cut the file off
        } finally {
            closeQuietly(publisher);
        }
    }
}
