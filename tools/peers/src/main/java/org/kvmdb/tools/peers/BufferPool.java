package org.kvmdb.tools.peers;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * A buffer pool as in a textbook: frames, a hash table from page to frame, pin and unpin, CLOCK. The table is divided into
 * partitions with a latch each, as PostgreSQL's is; a latch is a spinning compare-and-set, the cheapest that there is, and held
 * for a look-up and the increment of the pin count. What it costs to reach a page that is in memory already is the question;
 * what is read on a miss is the caller's business.
 */
final class BufferPool {

    /** Reads a page into a frame. */
    interface Reader {
        void read(long page, MemorySegment frames, long offset);
    }

    private static final int PARTITIONS = 128;
    /** One latch to a cache line. */
    private static final int LATCH_STRIDE = 16;
    private static final int NONE = -1;
    private static final long HASH = 0x9E3779B97F4A7C15L;
    private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);

    private final MemorySegment frames;
    private final Reader reader;
    private final int[] latches = new int[PARTITIONS * LATCH_STRIDE];
    private final int[] heads;
    private final int bucketShift;
    private final int[] next;
    private final long[] pageOf;
    private final int[] pins;
    private final byte[] referenced;
    private int hand;

    BufferPool(MemorySegment frames, Reader reader) {
        this.frames = frames;
        this.reader = reader;
        int count = Math.toIntExact(frames.byteSize() / PageSource.PAGE_BYTES);
        int buckets = Math.max(PARTITIONS, Integer.highestOneBit(count) * 2);
        bucketShift = Long.SIZE - Integer.numberOfTrailingZeros(buckets);
        heads = new int[buckets];
        next = new int[count];
        pageOf = new long[count];
        pins = new int[count];
        referenced = new byte[count];
        Arrays.fill(heads, NONE);
        Arrays.fill(pageOf, NONE);
    }

    /** Keeps a page in memory until {@link #unpin}. Returns its frame. */
    int pin(long page) {
        int bucket = bucketOf(page);
        latch(bucket);
        int frame = find(bucket, page);
        if (frame != NONE) {
            INTS.getAndAdd(pins, frame, 1);
            referenced[frame] = 1;
        }
        unlatch(bucket);
        return frame != NONE ? frame : miss(page);
    }

    void unpin(int frame) {
        INTS.getAndAddRelease(pins, frame, -1);
    }

    long offsetOf(int frame) {
        return (long) frame * PageSource.PAGE_BYTES;
    }

    private int bucketOf(long page) {
        return (int) (page * HASH >>> bucketShift);
    }

    private int find(int bucket, long page) {
        int frame = heads[bucket];
        while (frame != NONE && pageOf[frame] != page) {
            frame = next[frame];
        }
        return frame;
    }

    /** One miss at a time: what is measured are hits. */
    private synchronized int miss(long page) {
        int bucket = bucketOf(page);
        latch(bucket);
        int frame = find(bucket, page);
        if (frame != NONE) {
            INTS.getAndAdd(pins, frame, 1);
        }
        unlatch(bucket);
        if (frame != NONE) {
            return frame;
        }
        frame = victim();
        reader.read(page, frames, offsetOf(frame));
        latch(bucket);
        pageOf[frame] = page;
        referenced[frame] = 1;
        next[frame] = heads[bucket];
        heads[bucket] = frame;
        unlatch(bucket);
        return frame;
    }

    /** By CLOCK: the next frame that nobody has pinned and nobody has used since the hand last passed. It comes pinned. */
    private int victim() {
        for (int looked = 0; looked <= 2 * pageOf.length; looked++) {
            int frame = hand;
            hand = (hand + 1) % pageOf.length;
            if (referenced[frame] != 0) {
                referenced[frame] = 0;
            } else if (takeOut(frame)) {
                return frame;
            }
        }
        throw new IllegalStateException("all frames are pinned");
    }

    private boolean takeOut(int frame) {
        long page = pageOf[frame];
        if (page == NONE) {
            return INTS.compareAndSet(pins, frame, 0, 1);
        }
        int bucket = bucketOf(page);
        latch(bucket);
        boolean free = INTS.compareAndSet(pins, frame, 0, 1);
        if (free) {
            unlink(bucket, frame);
        }
        unlatch(bucket);
        return free;
    }

    private void unlink(int bucket, int frame) {
        if (heads[bucket] == frame) {
            heads[bucket] = next[frame];
            return;
        }
        int before = heads[bucket];
        while (next[before] != frame) {
            before = next[before];
        }
        next[before] = next[frame];
    }

    private void latch(int bucket) {
        int latch = bucket % PARTITIONS * LATCH_STRIDE;
        while (!INTS.weakCompareAndSetAcquire(latches, latch, 0, 1)) {
            Thread.onSpinWait();
        }
    }

    private void unlatch(int bucket) {
        INTS.setRelease(latches, bucket % PARTITIONS * LATCH_STRIDE, 0);
    }
}
