package org.kvmdb;

/**
 * Options of a scrub.
 *
 * @param bytesPerSecond limit of the read rate; 0: as fast as the device allows, after giving way to commits
 * @param isRestart whether to start from the beginning even if an interrupted scrub could be continued
 */
public record ScrubOptions(long bytesPerSecond, boolean isRestart) {

    public ScrubOptions {
        if (bytesPerSecond < 0) {
            throw new IllegalArgumentException("a rate is not negative: " + bytesPerSecond);
        }
    }

    /** No limit; continues an interrupted scrub. */
    public static ScrubOptions defaults() {
        return new ScrubOptions(0, false);
    }

    public ScrubOptions withBytesPerSecond(long rate) {
        return new ScrubOptions(rate, isRestart);
    }

    public ScrubOptions withRestart(boolean restart) {
        return new ScrubOptions(bytesPerSecond, restart);
    }
}
