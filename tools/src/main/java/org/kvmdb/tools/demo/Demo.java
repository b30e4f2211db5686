package org.kvmdb.tools.demo;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.VolumeOptions;
import org.kvmdb.gc.CheckProgress;
import org.kvmdb.gc.StoreChecker;
import org.kvmdb.gc.StoreReport;
import org.kvmdb.tools.Progress;
import org.kvmdb.tools.TemporaryDirectory;
import org.kvmdb.tools.Transfer;
import org.kvmdb.tools.Wording;

/**
 * The main job on real input: import, every byte through page faults, changes under SIGKILL, and the proof after each.
 * Owns a directory, which goes away with it unless it is to be kept.
 */
final class Demo implements AutoCloseable {

    /** The volume that holds the input. */
    static final String DATA = "modules";

    /** The volume in which each thread keeps the number of its last transaction. */
    static final String LEDGER = "ledger";

    /** Few, so that the kills hit checkpoints too. */
    private static final long CHECKPOINT_RECORDS = 20_000;

    /**
     * @param blockBytes what the input takes, compressed
     * @param bytesWritten all that the import wrote
     */
    record Import(long nanos, long blockBytes, long bytesWritten) {}

    /**
     * @param randomNanos every page once, in random order, by all threads
     * @param sequentialNanos all of it in sequence, by one thread
     * @param cache after both
     * @param randomReadFaults faults of the first
     */
    record FaultPass(
            long pages,
            long randomNanos,
            long randomReadFaults,
            long sequentialNanos,
            StoreStatistics.Latency randomLatency,
            StoreStatistics.Cache cache,
            HitCost hitCost) {}

    private final DemoSettings settings;
    private final TemporaryDirectory directory;

    Demo(DemoSettings settings) throws IOException {
        this.settings = settings;
        this.directory = TemporaryDirectory.create(settings.parentDirectory(), "kvmdb-demo-");
        if (settings.keeps()) {
            directory.keep();
        }
    }

    static Path storeDirectory(Path directory) {
        return directory.resolve("store");
    }

    Path storeDirectory() {
        return storeDirectory(directory.path());
    }

    static StoreOptions storeOptions(DemoSettings settings) {
        return storeOptions(StoreOptions.defaults().withCacheSizeBytes(settings.cacheSizeBytes()));
    }

    static StoreOptions storeOptions(StoreOptions options) {
        return options.withCheckpointRecords(CHECKPOINT_RECORDS);
    }

    /** Brings the input in, in one commit, and closes the store: what follows starts with an empty cache. */
    Import importInput() throws IOException {
        long startNanos = System.nanoTime();
        try (Store store = Store.create(storeDirectory(), storeOptions(settings))) {
            VolumeOptions dataOptions =
                    VolumeOptions.ofSizeBytes(settings.dataSizeBytes()).withPageSizeBytes(settings.pageSizeBytes());
            Volume data = store.createVolume(DATA, dataOptions);
            long ledgerBytes = (long) settings.threads() * settings.pageSizeBytes();
            store.createVolume(
                    LEDGER, VolumeOptions.ofSizeBytes(ledgerBytes).withPageSizeBytes(settings.pageSizeBytes()));
            StoreStatistics.Log before = store.statistics().log();
            try (FileChannel channel = FileChannel.open(settings.input(), StandardOpenOption.READ);
                    Progress progress = new Progress("import", settings.inputBytes())) {
                Transfer.importInto(data, channel, settings.inputBytes(), false, progress);
            }
            store.commit();
            StoreStatistics.Log after = store.statistics().log();
            return new Import(
                    System.nanoTime() - startNanos,
                    after.blockBytes() - before.blockBytes(),
                    after.bytesWritten() - before.bytesWritten());
        }
    }

    /** Compares every byte with the input, and measures hits. */
    FaultPass checkThroughFaults(Proof proof) throws InterruptedException {
        try (Store store = Store.open(storeDirectory(), storeOptions(settings))) {
            long startNanos = System.nanoTime();
            long pages = proof.proveEqual(store, settings.seed());
            long randomEndNanos = System.nanoTime();
            StoreStatistics afterRandom = store.statistics();
            long sequentialStartNanos = System.nanoTime();
            proof.dataPages(store).inSequence();
            long endNanos = System.nanoTime();
            StoreStatistics.Cache cache = store.statistics().cache();
            return new FaultPass(
                    pages,
                    randomEndNanos - startNanos,
                    afterRandom.cache().readFaults(),
                    endNanos - sequentialStartNanos,
                    afterRandom.latencies().readFault(),
                    cache,
                    HitCost.measure(store.volume(DATA), hitBytes()));
        }
    }

    /** Small enough for a processor's cache, so that memory's speed does not hide a difference. */
    private long hitBytes() {
        return Math.min(256 << 10, Long.highestOneBit(Math.min(settings.inputBytes(), settings.cacheSizeBytes() / 4)));
    }

    KillRound kill(int number, Proof proof) throws IOException, InterruptedException {
        return KillRound.run(number, settings, directory.path(), proof);
    }

    /** A last clean open: a store that was closed in order holds the same. Returns the pages compared. */
    long proveAfterClose(Proof proof) throws InterruptedException {
        try (Store store = Store.open(storeDirectory(), storeOptions(settings))) {
            return proof.proveEqual(store, settings.seed() - 1);
        }
    }

    /** Verifies every structure and every block of the closed store. */
    StoreReport check() {
        StoreReport report = StoreChecker.check(storeDirectory().resolve("store.kvmdb"), CheckProgress.NONE);
        if (!report.isClean()) {
            throw new ProofFailedException("the check found %s, the first is %s"
                    .formatted(Wording.counted(report.defectCount(), "defect"), report.defects().getFirst()));
        }
        return report;
    }

    /** What is left behind is worth a look. */
    void keepForInspection() {
        directory.keep();
    }

    Path directory() {
        return directory.path();
    }

    @Override
    public void close() {
        directory.close();
    }
}
