package org.kvmdb.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.LpnList;
import org.kvmdb.ffi.NativeRegion;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Append;
import org.kvmdb.journal.BlockEncoder;

/**
 * Frozen pages on their way to the log: copied out and compressed by workers, a chunk each, appended in order by the
 * caller. A single chunk is done by the caller itself. Used under the write-back lock.
 */
final class PageWriter implements AutoCloseable {

    /** Most bytes of pages in a chunk. */
    static final int CHUNK_BYTES = 64 << 10;

    /** Memory of one chunk: the pages, and their blocks at worst. */
    private static final int CHUNK_MEMORY_BYTES = 2 * CHUNK_BYTES + (32 << 10);

    private static final int WORKERS_MAX = Math.min(8, Runtime.getRuntime().availableProcessors());

    /** What the buffers may take of the budget. */
    private static final int BUDGET_SHARE = 8;

    private final ExecutorService workers;
    private final long memoryBytes;
    private final Arena arena = Arena.ofShared();
    private final Deque<Chunk> idle = new ArrayDeque<>();

    /** With as many workers as there are processors and the memory budget bears. */
    PageWriter(long budgetBytes) {
        final long affordable = budgetBytes / BUDGET_SHARE / (2L * CHUNK_MEMORY_BYTES);
        final int workerCount = Math.clamp(affordable, 1, WORKERS_MAX);
        final int chunkCount = 2 * workerCount + 1;
        workers = Executors.newFixedThreadPool(
                workerCount, Thread.ofPlatform().daemon().name("kvmdb-encoder-", 0).factory());
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

    /** Appends all pages of the list, which then holds their PPNs. */
    void append(Append append, Region region, NativeRegion.Freeze freeze, LpnList pages) {
        final int pageShift = region.volume().pageShift();
        final int chunkPages = CHUNK_BYTES >> pageShift;
        if (pages.size() <= chunkPages) {
            final Chunk chunk = idle.peek();
            chunk.encode(region, freeze, pages, 0, (int) pages.size());
            chunk.append(append, region, pages);
            return;
        }
        final Deque<Encoding> inFlight = new ArrayDeque<>();
        try {
            for (long first = 0; first < pages.size(); first += chunkPages) {
                if (idle.isEmpty()) {
                    appendOldest(append, region, pages, inFlight);
                }
                final Chunk chunk = idle.peek();
                final long from = first;
                final int count = (int) Math.min(chunkPages, pages.size() - first);
                // It may fail: no thread for it, no memory. The chunk stays with the others then.
                inFlight.add(new Encoding(
                        chunk, workers.submit(() -> chunk.encode(region, freeze, pages, from, count))));
                idle.remove();
            }
            while (!inFlight.isEmpty()) {
                appendOldest(append, region, pages, inFlight);
            }
        } finally {
            // After a failure: no worker may be left writing into a chunk that is used again.
            inFlight.forEach(encoding -> {
                encoding.awaitQuietly();
                idle.add(encoding.chunk);
            });
        }
    }

    private void appendOldest(Append append, Region region, LpnList pages, Deque<Encoding> inFlight) {
        final Encoding oldest = inFlight.peek();
        oldest.await();
        oldest.chunk.append(append, region, pages);
        inFlight.remove();
        idle.add(oldest.chunk);
    }

    @Override
    public void close() {
        workers.shutdownNow();
        workers.close();
        arena.close();
    }

    private record Encoding(Chunk chunk, Future<?> future) {

        void await() {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        future.get();
                        return;
                    } catch (InterruptedException e) {
                        // A commit is not cut short; who interrupted finds the flag afterwards.
                        interrupted = true;
                    }
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof StorageException failure) {
                    throw failure;
                }
                if (e.getCause() instanceof Error failure) {
                    throw failure;
                }
                throw new StorageException(ErrorCode.IO, "encoding pages failed: " + e.getCause(), e.getCause());
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        void awaitQuietly() {
            try {
                await();
            } catch (StorageException | Error e) {
                // The failure that matters is on its way already.
            }
        }
    }

    /** Room for some pages and their blocks. */
    private static final class Chunk {
        private final MemorySegment pages;
        private final MemorySegment blocks;
        private final int[] blockLengths = new int[CHUNK_BYTES >> 12];
        private long first;
        private int count;

        Chunk(Arena arena) {
            pages = arena.allocate(CHUNK_BYTES, 4096);
            blocks = arena.allocate(CHUNK_MEMORY_BYTES - CHUNK_BYTES, 64);
        }

        void encode(Region region, NativeRegion.Freeze freeze, LpnList list, long from, int pageCount) {
            final int pageShift = region.volume().pageShift();
            first = from;
            count = pageCount;
            region.nativeRegion().copyOut(freeze, list, from, pageCount, pages);
            long at = 0;
            for (int i = 0; i < pageCount; i++) {
                final MemorySegment page = pages.asSlice((long) i << pageShift, 1L << pageShift);
                blockLengths[i] = BlockEncoder.encode(page, pageShift, blocks.asSlice(at));
                at += blockLengths[i];
            }
        }

        void append(Append append, Region region, LpnList list) {
            final int volumeId = region.volume().id();
            long at = 0;
            for (int i = 0; i < count; i++) {
                final MemorySegment block = blocks.asSlice(at, blockLengths[i]);
                list.ppn(first + i, append.page(volumeId, list.lpn(first + i), block));
                at += blockLengths[i];
            }
        }
    }
}
