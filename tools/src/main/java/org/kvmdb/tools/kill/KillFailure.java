package org.kvmdb.tools.kill;

/** A killed store, or its child, is not as it must be. The message says what, where and with which values. */
public final class KillFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public KillFailure(String message) {
        super(message);
    }

    public KillFailure(String message, Throwable cause) {
        super(message, cause);
    }

    /** Throws unless it holds. */
    public static void check(boolean holds, String format, Object... values) {
        if (!holds) {
            throw new KillFailure(format.formatted(values));
        }
    }
}
