package org.kvmdb.cache;

/**
 * Detects sequential reads of a region by calls. While the pages of a call are decoded and copied, the blocks that come
 * next are read from the device: those of the rest of the call, if it is large, and of the calls that will follow it.
 * Only blocks are read ahead, and each page is looked up in the map when it is requested, so no stale content is
 * delivered.
 *
 * <p>Each thread has a slot. Two threads that share one are not detected as sequential readers; all of this is only a
 * hint.
 */
final class ReadStreams {

    /** Read in order by small calls before they are taken for a stream. */
    private static final long RUN_BYTES_MIN = 128 << 10;

    /** Most that is looked through at a time, and beyond what was asked for. */
    private static final long AHEAD_BYTES_MAX = 8 << 20;

    private static final int PLACES = 16;

    private final Region region;
    private final Stream[] streams = new Stream[PLACES];

    ReadStreams(Region region) {
        this.region = region;
        for (int i = 0; i < PLACES; i++) {
            streams[i] = new Stream();
        }
    }

    /** A call begins; it goes on with its thread's stream, or begins a new one. */
    Stream call(long offset, long lengthBytes, boolean isLarge) {
        final Stream stream = streams[(int) (Thread.currentThread().threadId() % PLACES)];
        stream.call(offset, lengthBytes, isLarge);
        return stream;
    }

    final class Stream {

        /** Read in order, before the call. */
        private long runBytes;

        private long callBegin;
        private long callEnd;

        /** What there is a need of, as far as is known. */
        private long wantedEnd;

        /** What was begun last. */
        private long begunFrom;

        private long begunTo;

        private void call(long offset, long lengthBytes, boolean isLarge) {
            if (offset == callEnd) {
                runBytes += callEnd - callBegin;
            } else {
                runBytes = 0;
                begunFrom = offset;
                begunTo = offset;
            }
            callBegin = offset;
            callEnd = offset + lengthBytes;
            if (runBytes > 0 && runBytes + lengthBytes >= RUN_BYTES_MIN) {
                wantedEnd = callEnd + Math.min(runBytes, AHEAD_BYTES_MAX);
            } else {
                wantedEnd = isLarge ? callEnd : offset;
            }
        }

        /** What lies before the offset has been copied. With what was begun last reached, more is begun: then that is under way meanwhile. */
        void reach(long offset) {
            final long from = Math.max(offset, begunTo);
            if (offset >= begunFrom && from < wantedEnd) {
                begunTo = Math.max(region.readAhead(from, Math.min(wantedEnd - from, AHEAD_BYTES_MAX)), from);
                begunFrom = from;
            }
        }
    }
}
