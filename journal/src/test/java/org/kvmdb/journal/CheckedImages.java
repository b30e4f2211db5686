package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Long2LongHashMap;

/**
 * What was found in images of crash states, by their hash: an image that comes again, from another workload, need not be
 * opened again to be compared with what is expected there. Thread-safe; what it holds in the end does not depend on who
 * came first.
 */
final class CheckedImages {

    /** No outcome is that. */
    static final long UNKNOWN = 0;

    private static final int STRIPES = 64;
    /** The lowest bits of a value hold the kind; kinds are few. */
    private static final int KIND_BITS = 5;

    private static final long KIND_MASK = (1 << KIND_BITS) - 1;

    private final List<Long2LongHashMap> stripes = new ArrayList<>();

    CheckedImages() {
        for (int i = 0; i < STRIPES; i++) {
            stripes.add(new Long2LongHashMap(UNKNOWN));
        }
    }

    /** An outcome that can be kept: the bits that hold the kind are zero. */
    static long outcome(long hash) {
        return hash == 0 ? 1 << KIND_BITS : hash << KIND_BITS;
    }

    private Long2LongHashMap stripe(long image) {
        return stripes.get((int) (image >>> Long.SIZE - 6));
    }

    /** What was found in the image, or {@link #UNKNOWN}; when it is known, it was reached in that way, too. */
    long find(long image, int kind) {
        final Long2LongHashMap stripe = stripe(image);
        synchronized (stripe) {
            final long value = stripe.get(image);
            if (value == UNKNOWN) {
                return UNKNOWN;
            }
            if (kind < (value & KIND_MASK)) {
                stripe.put(image, value & ~KIND_MASK | kind);
            }
            return value & ~KIND_MASK;
        }
    }

    /** Keeps it; an image has the lowest of the kinds that it was reached in. False: another thread was faster. */
    boolean keep(long image, int kind, long outcome) {
        final Long2LongHashMap stripe = stripe(image);
        synchronized (stripe) {
            final long value = stripe.get(image);
            final boolean isNew = value == UNKNOWN;
            stripe.put(image, outcome | (isNew ? kind : Math.min(kind, value & KIND_MASK)));
            return isNew;
        }
    }

    /** How many images there are, by kind. */
    long[] countsByKind(int kinds) {
        final long[] counts = new long[kinds];
        for (Long2LongHashMap stripe : stripes) {
            synchronized (stripe) {
                stripe.forEachLong((image, value) -> counts[(int) (value & KIND_MASK)]++);
            }
        }
        return counts;
    }

    long size() {
        long size = 0;
        for (Long2LongHashMap stripe : stripes) {
            synchronized (stripe) {
                size += stripe.size();
            }
        }
        return size;
    }
}
