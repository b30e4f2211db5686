package org.kvmdb.tools.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.kvmdb.Store;
import org.kvmdb.StoreStatistics;
import org.kvmdb.tools.ChildJvm;
import org.kvmdb.tools.Facts;

/**
 * One kill and what came of it.
 *
 * @param ranNanos from the worker's first commit to its last
 * @param commits transactions acknowledged
 * @param inFlight transactions whose commit had not returned at the kill
 * @param kept how many of those are there all the same
 * @param reopenNanos to open the store afterwards, everything included
 * @param pagesCompared all of them
 */
record KillRound(
        int number,
        long ranNanos,
        long commits,
        int inFlight,
        long kept,
        long reopenNanos,
        long replayedRecords,
        long cutBatches,
        long pagesCompared,
        CommitRecord.Progress progress) {

    private static final long COMMITS_MIN = 50;
    private static final long START_NANOS_MAX = TimeUnit.SECONDS.toNanos(60);
    private static final int EXTRA_MILLIS_MIN = 300;
    private static final int EXTRA_MILLIS_MAX = 1800;
    private static final long POLL_MILLIS = 5;

    static KillRound run(int number, DemoSettings settings, Path directory, Proof proof)
            throws IOException, InterruptedException {
        Path recordFile = directory.resolve("record-" + number);
        long[] standing = proof.standing();
        killWorker(number, settings, directory, recordFile, standing);
        CommitRecord record = CommitRecord.read(recordFile, standing);
        long startNanos = System.nanoTime();
        try (Store store = Store.open(Demo.storeDirectory(directory), Demo.storeOptions(settings))) {
            long reopenNanos = System.nanoTime() - startNanos;
            StoreStatistics.Log log = store.statistics().log();
            long kept = proof.proveRecovered(store, record, settings.seed() + number);
            return new KillRound(
                    number,
                    record.activeNanos(),
                    record.acknowledgements(),
                    record.inFlight(),
                    kept,
                    reopenNanos,
                    log.replayedRecords(),
                    log.cutBatches(),
                    settings.pages() + settings.threads(),
                    record.progress());
        }
    }

    private static void killWorker(
            int number, DemoSettings settings, Path directory, Path recordFile, long[] standing)
            throws IOException, InterruptedException {
        List<String> arguments = List.of(
                "demo-worker",
                Demo.storeDirectory(directory).toString(),
                recordFile.toString(),
                "--seed=" + settings.seed(),
                "--threads=" + settings.threads(),
                "--cache=" + settings.cacheSizeBytes(),
                "--parent=" + ProcessHandle.current().pid());
        try (ChildJvm worker = ChildJvm.start(directory.resolve("worker-" + number + ".log"), arguments)) {
            long deadlineNanos = System.nanoTime() + START_NANOS_MAX;
            // Enough has been written that a record of as many commits can exist.
            while (worker.isAlive()
                    && CommitRecord.read(recordFile, standing).acknowledgements() < COMMITS_MIN
                    && System.nanoTime() < deadlineNanos) {
                Thread.sleep(POLL_MILLIS);
            }
            SplittableRandom random = new SplittableRandom(settings.seed() * 31 + number);
            Thread.sleep(random.nextInt(EXTRA_MILLIS_MIN, EXTRA_MILLIS_MAX));
            if (!worker.isAlive()) {
                throw new ProofFailedException("the worker ended by itself: " + worker.lastWords());
            }
            if (worker.kill() != ChildJvm.KILLED) {
                throw new ProofFailedException("the worker ended by itself: " + worker.lastWords());
            }
        }
        if (!Files.exists(recordFile) || CommitRecord.read(recordFile, standing).acknowledgements() == 0) {
            throw new ProofFailedException("the worker committed nothing within a minute");
        }
    }

    double commitsPerSecond() {
        return ranNanos == 0 ? 0 : commits * 1e9 / ranNanos;
    }

    Facts facts() {
        return new Facts()
                .count("kill", "number", number)
                .duration("ran for", "ranNanos", ranNanos)
                .count("commits", "commits", commits)
                .number("per second", "commitsPerSecond", commitsPerSecond(), "")
                .count("in flight", "inFlight", inFlight)
                .count("kept of them", "keptInFlight", kept)
                .duration("reopened in", "reopenNanos", reopenNanos)
                .count("replayed", "replayedRecords", replayedRecords)
                .count("cut", "cutBatches", cutBatches)
                .count("pages compared", "pagesCompared", pagesCompared)
                .text("verdict", "verdict", "exact");
    }
}
