package org.kvmdb.gc;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.Defect;
import org.kvmdb.journal.JournalInspection;

/** Reads and verifies blocks in the order of their places, with several threads. */
final class BlockSweep implements AutoCloseable {

    private static final int THREADS_MAX = 8;
    private static final long PROGRESS_MILLIS = 50;

    private final JournalInspection inspection;
    private final DefectLog defects;
    private final CheckProgress progress;
    private final long totalBytes;
    private final AtomicLong doneBytes = new AtomicLong();
    private final int threads = Math.min(THREADS_MAX, Runtime.getRuntime().availableProcessors());
    private final ExecutorService workers = Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("kvmdb-check-", 0).factory());

    BlockSweep(JournalInspection inspection, DefectLog defects, CheckProgress progress, long totalBytes) {
        this.inspection = inspection;
        this.defects = defects;
        this.progress = progress;
        this.totalBytes = totalBytes;
    }

    /** Verifies those that are to be read, given in the order of their place, and reports overlaps. */
    void run(Extent[] extents) {
        final List<Extent> toRead = new ArrayList<>(extents.length);
        Extent last = null;
        for (Extent extent : extents) {
            final boolean isSame = last != null && extent.ppn() == last.ppn();
            if (last != null && extent.overlaps(last) && !(isSame && extent.isOfLog())) {
                report(Defect.Kind.OVERLAP, extent, (isSame ? "the block is also that of %s" : "overlaps %s").formatted(last));
            }
            if (isSame && extent.isOfLog() || !extent.isToBeRead()) {
                doneBytes.addAndGet(extent.isToBeRead() ? extent.lengthBytes() : 0);
            } else {
                toRead.add(extent);
            }
            last = extent;
        }
        verify(toRead);
        progress.progress(doneBytes.get(), totalBytes);
    }

    private void verify(List<Extent> extents) {
        final List<List<Extent>> windows = WindowReader.windows(inspection, extents);
        final AtomicInteger next = new AtomicInteger();
        final List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < Math.min(threads, windows.size()); i++) {
            running.add(workers.submit(() -> work(windows, next)));
        }
        for (Future<?> worker : running) {
            await(worker);
        }
    }

    private void work(List<List<Extent>> windows, AtomicInteger next) {
        try (WindowReader reader = new WindowReader(inspection)) {
            for (int i = next.getAndIncrement(); i < windows.size(); i = next.getAndIncrement()) {
                reader.verify(windows.get(i), this::done);
            }
        }
    }

    private void done(Extent extent, String wrong) {
        if (wrong != null) {
            report(
                    extent.owner().role() == BlockOwner.Role.PAGE ? Defect.Kind.PAGE : Defect.Kind.LOG_BLOCK, extent,
                    wrong);
        }
        doneBytes.addAndGet(extent.lengthBytes());
    }

    private void report(Defect.Kind kind, Extent extent, String fact) {
        defects.add(new Defect(kind, position(extent), extent.owner().volume(), extent.lpn(), extent.ppn(), fact));
    }

    private long position(Extent extent) {
        return inspection.position(extent.ppn());
    }

    /** Waits for a worker and reports progress meanwhile. */
    private void await(Future<?> worker) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    worker.get(PROGRESS_MILLIS, TimeUnit.MILLISECONDS);
                    return;
                } catch (TimeoutException e) {
                    progress.progress(doneBytes.get(), totalBytes);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends the workers; returns when none of them uses the inspection any more. */
    @Override
    public void close() {
        workers.shutdownNow();
        workers.close();
    }
}
