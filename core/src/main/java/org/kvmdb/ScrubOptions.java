package org.kvmdb;

/**
 * How a scrub goes about it.
 *
 * @param bytesPerSecond what it reads at most; 0: as fast as the device allows, less what commits take
 * @param isRestart whether to begin anew where an interrupted one could go on
 */
public record ScrubOptions(long bytesPerSecond, boolean isRestart) {

    public ScrubOptions {
        if (bytesPerSecond < 0) {
            throw new IllegalArgumentException("a rate is not negative: " + bytesPerSecond);
        }
    }

    /** No limit; goes on where an interrupted scrub was. */
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
