package org.kvmdb.tools.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.VolumeOptions;
import org.kvmdb.tools.ChildJvm;
import org.kvmdb.tools.CommandFailedException;

/**
 * Opening after SIGKILL: a process of its own writes, commits, and goes on committing until it is killed. Then another
 * opens the store, with everything still to be loaded and compiled, and says how long that took.
 */
final class RecoveryBench implements Bench {

    static final String VOLUME = "recovery";

    private static final long GIB = 1L << 30;
    private static final long POLL_MILLIS = 20;

    @Override
    public List<Figure> run(BenchContext context) throws IOException, InterruptedException {
        Path directory = context.directory().resolve("recovery");
        StoreOptions options = StoreOptions.defaults();
        try (Store store = Store.create(directory, options)) {
            store.createVolume(VOLUME, VolumeOptions.ofSizeBytes(context.gib() * GIB));
        }
        Series killed = new Series();
        Series absolute = new Series();
        for (int round = 0; round < context.rounds(); round++) {
            // All of it the first time, then a tenth more for each further kill.
            long bytes = round == 0 ? context.gib() * GIB : Math.max(GIB / 4, context.gib() * GIB / 10);
            killWriter(context, directory, bytes);
            double afterKill = openNanos(context, directory);
            double afterClose = openNanos(context, directory);
            context.say("recovery: %.1f ms after a kill, %.1f ms after a close", afterKill / 1e6, afterClose / 1e6);
            killed.add(afterKill / 1e6, afterClose / 1e6);
            absolute.add(afterKill / 1e6, 1000);
        }
        return List.of(
                absolute.figure(
                        "recovery",
                        "opening after SIGKILL, " + context.gib() + " GiB written",
                        "ms",
                        "a second",
                        Figure.Aim.atMost(1)),
                killed.figure("recovery-close", "opening after SIGKILL", "ms", "after a close", Figure.Aim.NONE));
    }

    /** In a process of its own: whoever opens a store after a crash has just been started. */
    private static double openNanos(BenchContext context, Path directory) throws IOException, InterruptedException {
        Path output = context.directory().resolve("open.log");
        try (ChildJvm opener = ChildJvm.start(output, List.of("bench-open", directory.toString()))) {
            if (opener.waitFor() != 0) {
                throw new CommandFailedException("the store could not be opened: " + opener.lastWords());
            }
            return Double.parseDouble(opener.lastWords());
        }
    }

    private static void killWriter(BenchContext context, Path directory, long bytes)
            throws IOException, InterruptedException {
        Path ready = context.directory().resolve("recovery.ready");
        Files.deleteIfExists(ready);
        List<String> arguments = List.of(
                "bench-writer",
                directory.toString(),
                context.input().toString(),
                ready.toString(),
                "--bytes=" + bytes,
                "--parent=" + ProcessHandle.current().pid());
        try (ChildJvm writer = ChildJvm.start(context.directory().resolve("recovery.log"), arguments)) {
            while (writer.isAlive() && !Files.exists(ready)) {
                Thread.sleep(POLL_MILLIS);
            }
            // In the middle of its small commits.
            Thread.sleep(10 * POLL_MILLIS);
            if (!writer.isAlive() || writer.kill() != ChildJvm.KILLED) {
                throw new CommandFailedException("the writer ended by itself: " + writer.lastWords());
            }
        }
    }
}
