package org.kvmdb;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Content of a page, derived from its identity and version, so that a misplaced, stale or torn page says what it is. The
 * first word names volume (8 bits), LPN (24) and version (32). Pages with an odd LPN do not compress.
 */
final class PageContent {

    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private PageContent() {}

    static long identity(int volume, long lpn, long version) {
        return (long) volume << 56 | lpn << 32 | version & 0xffffffffL;
    }

    private static long word(long identity, long index) {
        if (index == 0) {
            return identity;
        }
        final boolean compresses = (identity >>> 32 & 1) == 0;
        final long x = (identity + (compresses ? index & 7 : index)) * GOLDEN;
        return x ^ x >>> 29;
    }

    static void write(MemorySegment page, int volume, long lpn, long version) {
        final long identity = identity(volume, lpn, version);
        for (long i = 0; i < page.byteSize() / Long.BYTES; i++) {
            page.setAtIndex(ValueLayout.JAVA_LONG, i, word(identity, i));
        }
    }

    /** Fails unless the page is that; version 0 is a page that was never written. */
    static void check(MemorySegment page, int volume, long lpn, long version) {
        final long identity = version == 0 ? 0 : identity(volume, lpn, version);
        for (long i = 0; i < page.byteSize() / Long.BYTES; i++) {
            final long expected = version == 0 ? 0 : word(identity, i);
            final long actual = page.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (actual != expected) {
                throw new AssertionError(
                        "volume=%d lpn=%d version=%d word %d: expected=0x%x actual=0x%x; the page says it is %s"
                                .formatted(volume, lpn, version, i, expected, actual, describe(page)));
            }
        }
    }

    /** The version that the page's first word names; fails when it is not one of that page. */
    static long version(MemorySegment page, int volume, long lpn) {
        final long first = page.get(ValueLayout.JAVA_LONG, 0);
        if (first != 0 && first >>> 32 != identity(volume, lpn, 0) >>> 32) {
            throw new AssertionError("volume=%d lpn=%d holds %s".formatted(volume, lpn, describe(page)));
        }
        return first & 0xffffffffL;
    }

    private static String describe(MemorySegment page) {
        final long first = page.get(ValueLayout.JAVA_LONG, 0);
        return "volume=%d lpn=%d version=%d".formatted(first >>> 56, first >>> 32 & 0xffffff, first & 0xffffffffL);
    }
}
