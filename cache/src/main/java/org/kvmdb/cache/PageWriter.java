package org.kvmdb.cache;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import org.kvmdb.ffi.BlockBuffers;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.NativeThread;
import org.kvmdb.journal.Append;

/**
 * Writes frozen pages, or those of a large write, to the log. Workers copy them out and compress them, one chunk at a
 * time, and the caller appends the chunks in order. The caller processes a single chunk itself. Used under the
 * write-back lock, so only one caller at a time uses the buffers.
 */
final class PageWriter implements AutoCloseable {

    /** Most bytes of pages in a chunk. */
    static final int CHUNK_BYTES = 64 << 10;

    private static final int CHUNK_MEMORY_BYTES = BlockBuffers.memoryBytes(CHUNK_BYTES);

    private static final int CHUNKS_MIN = 3;

    /** So that workers go on while a batch of the chunks before is written. */
    private static final int CHUNKS_PER_WORKER = 8;

    private static final int WORKERS_MAX = Math.min(8, Runtime.getRuntime().availableProcessors());

    /** What the buffers may take of the budget. */
    private static final int BUDGET_SHARE = 8;

    /** For what a writer waits for: room in memory, or its own large write. */
    private final ExecutorService workers;

    /** For commits, beside which writers go on: they shall not find their processors taken. */
    private final ExecutorService yieldingWorkers;
    private final long memoryBytes;
    private final Arena arena = Arena.ofShared();
    private final Deque<Chunk> idle = new ArrayDeque<>();
    private volatile CompressionDictionary dictionary;

    /** With as many workers as there are processors and the memory budget bears. */
    PageWriter(long budgetBytes) {
        final int chunkCount = Math.clamp(
                budgetBytes / BUDGET_SHARE / CHUNK_MEMORY_BYTES, CHUNKS_MIN, CHUNKS_PER_WORKER * WORKERS_MAX);
        final int workerCount = Math.clamp(chunkCount / 2, 1, WORKERS_MAX);
        final ThreadFactory threads = Thread.ofPlatform().daemon().name("kvmdb-encoder-", 0).factory();
        workers = Executors.newFixedThreadPool(workerCount, threads);
        yieldingWorkers = Executors.newFixedThreadPool(workerCount, NativeThread.givingWay(threads));
        memoryBytes = (long) chunkCount * CHUNK_MEMORY_BYTES;
        try {
            for (int i = 0; i < chunkCount; i++) {
                idle.add(new Chunk(arena));
            }
        } catch (Error e) {
            arena.close();
            throw e;
        }
    }

    /** What the buffers take of the store's memory budget. */
    long memoryBytes() {
        return memoryBytes;
    }

    /** From now on pages are compressed against this. */
    void compressAgainst(CompressionDictionary newDictionary) {
        dictionary = newDictionary;
    }

    /** Where the content of pages comes from. */
    interface Source {

        /** Puts pages of the list into the buffers, if that is for the caller of the writer to do. */
        default void fetch(long first, int count, BlockBuffers buffers) {}

        /** Makes blocks of them, in a worker. */
        void encode(long first, int count, BlockBuffers buffers);
    }

    /** Begins to copy out and to compress the pages of a list, as many as there are buffers for. */
    Writing write(Region region, NativeRegion.Freeze freeze, LpnList pages) {
        return write(region, pages, frozen(region, freeze, pages));
    }

    Writing write(Region region, LpnList pages, Source source) {
        return new Writing(workers, region, pages, source);
    }

    /** The same, while threads that write go first: see {@link NativeThread#givingWay}. */
    Writing writeBesideWriters(Region region, NativeRegion.Freeze freeze, LpnList pages) {
        return new Writing(yieldingWorkers, region, pages, frozen(region, freeze, pages));
    }

    private static Source frozen(Region region, NativeRegion.Freeze freeze, LpnList pages) {
        return (first, count, buffers) -> region.nativeRegion().encode(freeze, pages, first, count, buffers);
    }

    /** Pages of a region on their way to the log. Closed when they are not appended after all. */
    final class Writing implements AutoCloseable {
        private final ExecutorService encoders;
        private final Region region;
        private final LpnList pages;
        private final Source source;
        private final int chunkPages;
        private final Deque<Encoding> inFlight = new ArrayDeque<>();
        private long next;

        private Writing(ExecutorService encoders, Region region, LpnList pages, Source source) {
            this.encoders = encoders;
            this.region = region;
            this.pages = pages;
            this.source = source;
            chunkPages = CHUNK_BYTES >> region.volume().pageShift();
            try {
                encodeMore();
            } catch (RuntimeException | Error e) {
                close();
                throw e;
            }
        }

        /** Appends all pages of the list, which then holds their PPNs. */
        void append(Append append) {
            while (next < pages.size() || !inFlight.isEmpty()) {
                encodeMore();
                final Encoding oldest = inFlight.peek();
                oldest.pending.await();
                oldest.chunk.append(append, region, pages);
                idle.push(inFlight.remove().chunk);
            }
        }

        private void encodeMore() {
            while (next < pages.size() && !idle.isEmpty()) {
                final Chunk chunk = idle.peek();
                chunk.first = next;
                chunk.count = (int) Math.min(chunkPages, pages.size() - next);
                chunk.buffers.dictionary(dictionary);
                source.fetch(chunk.first, chunk.count, chunk.buffers);
                // It may fail: no thread for it, no memory. The chunk stays with the others then.
                inFlight.add(new Encoding(
                        chunk, encode(() -> source.encode(chunk.first, chunk.count, chunk.buffers))));
                idle.pop();
                next += chunk.count;
            }
        }

        private Pending encode(Runnable task) {
            if (pages.size() > chunkPages) {
                return new Pending(encoders.submit(task));
            }
            task.run();
            return Pending.NOTHING;
        }

        /** No worker may be left writing into a chunk that is used again. */
        @Override
        public void close() {
            while (!inFlight.isEmpty()) {
                inFlight.peek().pending.awaitQuietly();
                idle.push(inFlight.remove().chunk);
            }
        }
    }

    @Override
    public void close() {
        for (ExecutorService encoders : List.of(workers, yieldingWorkers)) {
            encoders.shutdownNow();
            encoders.close();
        }
        arena.close();
    }

    private record Encoding(Chunk chunk, Pending pending) {}

    /** Room for some pages and their blocks. */
    private static final class Chunk {
        private final BlockBuffers buffers;
        private long first;
        private int count;

        Chunk(Arena arena) {
            buffers = new BlockBuffers(arena, CHUNK_BYTES);
        }

        void append(Append append, Region region, LpnList list) {
            append.sample(buffers.pages(), count, region.volume().pageShift());
            final int volumeId = region.volume().id();
            long at = 0;
            for (int i = 0; i < count; i++) {
                final int length = buffers.blockLength(i);
                list.ppn(first + i, append.page(volumeId, list.lpn(first + i), buffers.block(at, length)));
                at += length;
            }
        }
    }
}
