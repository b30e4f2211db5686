package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.kvmdb.Store;
import org.kvmdb.StoreInUseException;
import org.kvmdb.control.ControlClient;
import org.kvmdb.control.ControlException;
import org.kvmdb.control.Operations;
import org.kvmdb.control.Reply;

/**
 * A store that this process opens for one operation or, when another one has it open, asks that one to work on. The
 * answer is the same.
 */
final class LiveStore {

    /** For a process that is just opening or closing the store. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long PAUSE_MILLIS = 20;

    private LiveStore() {}

    static Reply ask(
            Path directory,
            OpenOptions options,
            String operation,
            List<String> arguments,
            Reply.ProgressListener listener) {
        long deadlineNanos = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try (Store store = options.open(directory)) {
                Reply reply = new Reply(listener);
                Operations.run(store, operation, arguments, reply);
                return reply;
            } catch (StoreInUseException e) {
                try {
                    return ControlClient.ask(directory, operation, arguments, listener);
                } catch (ControlException failure) {
                    if (!failure.isPassing() || System.nanoTime() > deadlineNanos) {
                        throw failure;
                    }
                }
            }
            pause();
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailedException("interrupted", e);
        }
    }
}
