package org.kvmdb.tools;

import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C or a SIGTERM to a command that would leave something half done: while this is open, the command goes on just until it
 * next tells its {@link Progress}, fails there, and tidies up as it does after any failure; the process waits for that.
 */
final class Interruption implements AutoCloseable {

    /** For the last commit of a large import, which nothing interrupts. */
    private static final long PATIENCE_MILLIS = TimeUnit.SECONDS.toMillis(10);

    /** Of the process, as signals are; it never goes on after one. */
    private static volatile boolean requested;

    private final Thread owner = Thread.currentThread();
    private final Thread hook = new Thread(this::awaitEnd, "interruption");

    private Interruption() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    static Interruption awaited() {
        return new Interruption();
    }

    /** Whether the process is ending, and waits for what has been interrupted. */
    static boolean isRequested() {
        return requested;
    }

    static void check() {
        if (requested) {
            throw new CommandFailedException("interrupted");
        }
    }

    private void awaitEnd() {
        requested = true;
        try {
            owner.join(PATIENCE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            requested = true; // shutting down: the hook waits for what is said of it, too, but may not have begun
        }
    }
}
