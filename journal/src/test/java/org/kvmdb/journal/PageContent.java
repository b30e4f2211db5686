package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** What pages hold in tests: derived from volume, LPN and version, so that a wrong one says whose it is. */
public final class PageContent {

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final int HEAD_LENGTH = 3 * Long.BYTES;

    private PageContent() {}

    /** Fills a page; by version it compresses well, by half, or not at all. */
    public static void fill(MemorySegment page, long family, long lpn, long version) {
        page.set(LONG, 0, version);
        page.set(LONG, Long.BYTES, lpn);
        page.set(LONG, 2 * Long.BYTES, family);
        final SplittableRandom random = new SplittableRandom(version * 31 + lpn * 7 + family);
        final long random64 = random.nextLong();
        final long randomEnd = version % 3 == 0 ? 0 : version % 3 == 1 ? page.byteSize() : page.byteSize() / 2;
        for (long at = HEAD_LENGTH; at < page.byteSize(); at += Long.BYTES) {
            page.set(LONG, at, at < randomEnd ? random.nextLong() : random64);
        }
    }

    /** The version of a page, 0 for zeros; throws when it is not what {@link #fill} made for that place. */
    public static long version(MemorySegment page, long family, long lpn) {
        final long version = page.get(LONG, 0);
        final byte[] expected = new byte[(int) page.byteSize()];
        if (version != 0) {
            fill(MemorySegment.ofArray(expected), family, lpn, version);
        }
        if (page.mismatch(MemorySegment.ofArray(expected)) >= 0) {
            throw new AssertionError("wrong page: asked for family %d lpn %d, found family %d lpn %d version %d"
                    .formatted(family, lpn, page.get(LONG, 2 * Long.BYTES), page.get(LONG, Long.BYTES),
                            version));
        }
        return version;
    }
}
