package org.kvmdb.journal;

/** Texts of findings. */
final class Findings {

    private static final int FRAMES = 6;

    private Findings() {}

    /** What was thrown and where, on a few lines. */
    static String text(Throwable thrown) {
        final StringBuilder text = new StringBuilder(thrown.toString());
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            final StackTraceElement[] frames = cause.getStackTrace();
            for (int i = 0; i < Math.min(FRAMES, frames.length); i++) {
                text.append("\n    at ").append(frames[i]);
            }
        }
        return text.toString();
    }
}
