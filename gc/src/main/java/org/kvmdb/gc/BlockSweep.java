package org.kvmdb.gc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.BlockOwner;
import org.kvmdb.journal.BlockVerifier;
import org.kvmdb.journal.Defect;
import org.kvmdb.journal.JournalInspection;

/**
 * Reads and verifies blocks in the order of their place: neighbours with one read, several threads at once. A read that
 * fails is tried again block by block, so that a bad sector costs only what lies on it.
 */
final class BlockSweep implements AutoCloseable {

    private static final int WINDOW_BYTES = 2 << 20;
    private static final int GAP_BYTES_MAX = 128 << 10;
    private static final int UNIT_BYTES = 4096;
    private static final int THREADS_MAX = 8;
    private static final long PROGRESS_MILLIS = 50;

    private record Window(int from, int to) {}

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
        final List<Window> windows = windows(extents);
        final AtomicInteger next = new AtomicInteger();
        final List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < Math.min(threads, windows.size()); i++) {
            running.add(workers.submit(() -> work(extents, windows, next)));
        }
        for (Future<?> worker : running) {
            await(worker);
        }
    }

    private List<Window> windows(List<Extent> extents) {
        final List<Window> result = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= extents.size(); i++) {
            if (i == extents.size() || !isOfWindow(extents.get(from), extents.get(i - 1), extents.get(i))) {
                result.add(new Window(from, i));
                from = i;
            }
        }
        return result;
    }

    private boolean isOfWindow(Extent first, Extent before, Extent extent) {
        final long position = position(extent);
        return position + extent.lengthBytes() - position(first) <= WINDOW_BYTES - UNIT_BYTES
                && position - (position(before) + before.lengthBytes()) <= GAP_BYTES_MAX;
    }

    private void work(List<Extent> extents, List<Window> windows, AtomicInteger next) {
        final BlockVerifier verifier = inspection.newVerifier();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment buffer = arena.allocate(WINDOW_BYTES + UNIT_BYTES, UNIT_BYTES);
            for (int i = next.getAndIncrement(); i < windows.size(); i = next.getAndIncrement()) {
                final Window window = windows.get(i);
                verifyWindow(extents.subList(window.from, window.to), verifier, buffer);
            }
        }
    }

    private void verifyWindow(List<Extent> extents, BlockVerifier verifier, MemorySegment buffer) {
        final long start = position(extents.getFirst()) & -UNIT_BYTES;
        // Overlapping blocks may end in another order than they begin.
        long end = start;
        for (Extent extent : extents) {
            end = Math.max(end, position(extent) + extent.lengthBytes());
        }
        final long length = (end - start + UNIT_BYTES - 1) & -UNIT_BYTES;
        final long count;
        try {
            count = inspection.read(start, buffer.asSlice(0, length));
        } catch (StorageException e) {
            readFailed(extents, verifier, buffer, e);
            return;
        }
        for (Extent extent : extents) {
            final long offset = position(extent) - start;
            final String wrong = offset + extent.lengthBytes() > count
                    ? "device ends within the block"
                    : verifier.verify(
                            extent.owner(), extent.lpn(), extent.ppn(), extent.crc(),
                            buffer.asSlice(offset, extent.lengthBytes()));
            done(extent, wrong);
        }
    }

    private void readFailed(List<Extent> extents, BlockVerifier verifier, MemorySegment buffer, StorageException cause) {
        if (extents.size() == 1) {
            done(extents.getFirst(), cause.getMessage());
            return;
        }
        for (Extent extent : extents) {
            verifyWindow(List.of(extent), verifier, buffer);
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
