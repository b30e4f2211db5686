package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.fuzz.Edit;
import org.kvmdb.journal.fuzz.FuzzTarget;
import org.kvmdb.journal.fuzz.Place;

/**
 * Has every field of a store say what it must not, one at a time, with all checksums right: what a fuzzer finds by chance, in
 * order. Whatever is not refused by a typed error is right, or an {@link AssertionError}.
 */
final class HostileHunt {

    private static final int CUT_BYTES = 96 << 10;

    private HostileHunt() {}

    /** One value in so many is tried, by the seed; of each field at least those that it is likely to be compared with. */
    static void sweep(AtomicLong cases, long seed, int oneIn, FuzzTarget target) {
        final SplittableRandom random = new SplittableRandom(seed);
        for (Place place : target.places()) {
            for (Place.Field field : place.fields()) {
                for (long value : values(place, field)) {
                    if (random.nextInt(oneIn) == 0) {
                        cases.incrementAndGet();
                        run(target, Edit.number(Edit.Op.SET, place.name(), field.at(), field.width(), value));
                    }
                }
            }
        }
    }

    private static void run(FuzzTarget target, Edit edit) {
        try {
            target.run(List.of(edit));
        } catch (Exception | AssertionError e) {
            throw new AssertionError("%s: %s".formatted(edit.toLine(), e), e);
        }
    }

    /** What a shorter device leaves of a store is refused, and none is made over it. */
    static void cutOff(AtomicLong cases) {
        final LogImage image = FuzzImages.killed();
        for (long length = 0; length <= image.bytes().length; length += CUT_BYTES) {
            cases.incrementAndGet();
            demandRefusal(image.device(length), false);
            if (length > 0) {
                demandRefusal(image.device(length), true);
            }
        }
    }

    private static void demandRefusal(Device device, boolean isMade) {
        try {
            final Journal journal = isMade
                    ? Journal.create(device, FuzzImages.OPTIONS)
                    : Journal.open(device, FuzzImages.OPTIONS.withReadOnly(true));
            journal.close();
            if (isMade) {
                throw new AssertionError("a store was made over another one");
            }
        } catch (StorageException e) {
            // As it must be; what is left may also be enough.
        }
    }

    private static List<Long> values(Place place, Place.Field field) {
        final int bits = 8 * field.width();
        long now = 0;
        for (int i = field.width() - 1; i >= 0; i--) {
            now = now << 8 | place.seed()[field.at() + i] & 0xFF;
        }
        final Set<Long> result = new LinkedHashSet<>(List.of(
                0L, 1L, 2L, -1L, now + 1, now - 1, 2 * now, 1L << 12, (1L << bits - 1) - 1, 1L << bits - 1, now ^ 1L << bits - 4));
        result.remove(now);
        return new ArrayList<>(result);
    }
}
