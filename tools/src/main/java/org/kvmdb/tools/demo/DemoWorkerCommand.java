package org.kvmdb.tools.demo;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.kvmdb.Scope;
import org.kvmdb.Store;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;
import org.kvmdb.tools.ChildJvm;
import org.kvmdb.tools.OpenOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The process that the demo kills: commits transactions from several threads until then. */
@Command(name = "demo-worker", hidden = true, description = "The process that the demo kills.")
public final class DemoWorkerCommand implements Callable<Integer> {

    private static final long PROGRESS_MILLIS = 50;
    private static final long LIFE_NANOS_MAX = TimeUnit.MINUTES.toNanos(5);

    @Parameters(index = "0")
    private Path directory;

    @Parameters(index = "1")
    private Path recordFile;

    @Option(names = "--seed", required = true)
    private long seed;

    @Option(names = "--threads", required = true)
    private int threads;

    @Option(names = "--parent", required = true)
    private long parentPid;

    @Mixin
    private OpenOptions openOptions;

    private final AtomicLong changedBytes = new AtomicLong();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private Store store;
    private Volume data;
    private Volume ledger;
    private Workload workload;
    private CommitRecord.Writer record;

    DemoWorkerCommand() {}

    /** Returns only when something failed, or when nobody killed it for long. */
    @Override
    public Integer call() throws Exception {
        try (CommitRecord.Writer writer = new CommitRecord.Writer(recordFile);
                Store opened = Store.open(directory, Demo.storeOptions(openOptions.storeOptions()))) {
            record = writer;
            store = opened;
            data = store.volume(Demo.DATA);
            ledger = store.volume(Demo.LEDGER);
            workload = new Workload(seed, threads, data.sizeBytes() / data.pageSizeBytes(), data.pageSizeBytes());
            List<Thread> writers = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                int index = thread;
                writers.add(Thread.ofPlatform().daemon().name("writer-" + thread).start(() -> write(index)));
            }
            watch();
        }
        throw new IllegalStateException("the worker was not killed");
    }

    private void watch() throws IOException, InterruptedException {
        long startNanos = System.nanoTime();
        while (failure.get() == null && System.nanoTime() - startNanos < LIFE_NANOS_MAX) {
            ChildJvm.exitWithParent(parentPid);
            StoreStatistics statistics = store.statistics();
            record.progress(new CommitRecord.Progress(
                    statistics.log().bytesWritten(),
                    statistics.log().blockBytes(),
                    changedBytes.get(),
                    statistics.log().flushes(),
                    statistics.log().commits(),
                    statistics.log().checkpoints(),
                    statistics.cache().readFaults(),
                    statistics.cache().writeFaults() + statistics.cache().firstWriteFaults(),
                    statistics.cache().stolenPages()));
            Thread.sleep(PROGRESS_MILLIS);
        }
        if (failure.get() != null) {
            // No orderly end: the other writers are in the middle of things.
            failure.get().printStackTrace();
            System.err.println("a writer failed: " + failure.get());
            Runtime.getRuntime().halt(1);
        }
    }

    private void write(int thread) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(workload.pageSizeBytes());
            MemorySegment dataMemory = data.memory();
            MemorySegment ledgerMemory = ledger.memory();
            long number = workload.ledgerNumber(ledgerMemory, thread);
            while (true) {
                number++;
                record.issue(thread, number);
                long changed;
                try (Scope _ = data.writeScope();
                        Scope _ = ledger.writeScope()) {
                    changed = workload.apply(thread, number, dataMemory, ledgerMemory, scratch);
                }
                store.commit();
                record.acknowledge(thread, number);
                changedBytes.addAndGet(changed);
            }
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
        }
    }
}
