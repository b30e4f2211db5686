package org.kvmdb.ffi;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What was opened so far of something that is made of several parts: closed in reverse order, whether the whole came to be
 * or not. One thread at a time.
 */
public final class OpenParts implements AutoCloseable {

    private final List<Runnable> closings = new ArrayList<>();

    /** Begins with a part that was just opened; when there is no memory left for that it is closed. */
    public static <T> OpenParts of(T opened, Consumer<? super T> close) {
        try {
            final OpenParts parts = new OpenParts();
            parts.closings.add(() -> close.accept(opened));
            return parts;
        } catch (Error e) {
            close.accept(opened);
            throw e;
        }
    }

    /** Takes over a part that was just opened; when there is no memory left for that it is closed. */
    public <T> T add(T opened, Consumer<? super T> close) {
        try {
            closings.add(() -> close.accept(opened));
            return opened;
        } catch (Error e) {
            close.accept(opened);
            throw e;
        }
    }

    /** Closes all, whatever fails meanwhile, and then throws the first failure. Idempotent. */
    @Override
    public void close() {
        Throwable first = null;
        while (!closings.isEmpty()) {
            try {
                closings.removeLast().run();
            } catch (RuntimeException | Error e) {
                first = first == null ? e : first;
            }
        }
        if (first instanceof Error e) {
            throw e;
        }
        if (first != null) {
            throw (RuntimeException) first;
        }
    }
}
