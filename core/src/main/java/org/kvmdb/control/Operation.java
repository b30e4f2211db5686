package org.kvmdb.control;

import java.util.List;
import org.kvmdb.Store;

/** What can be asked of a store, and the names of its arguments. */
final class Operation {

    /**
     * Runs on a thread of its own, beside the application's. Whatever it throws becomes the answer's error: a {@link
     * org.kvmdb.StoreException} with its type, a {@link ControlException} with its code.
     */
    @FunctionalInterface
    interface Handler {
        void run(Store store, Arguments arguments, Answer answer);
    }

    private final List<String> argumentNames;
    private final Handler handler;

    /** @param argumentNames with spaces between; the last one ends in "..." when there may be several of it */
    Operation(String argumentNames, Handler handler) {
        this.argumentNames = argumentNames.isEmpty() ? List.of() : List.of(argumentNames.split(" "));
        this.handler = handler;
    }

    void run(Store store, List<String> arguments, Answer answer) {
        final boolean mayBeMore = !argumentNames.isEmpty() && argumentNames.getLast().endsWith("...");
        if (arguments.size() < argumentNames.size() || arguments.size() > argumentNames.size() && !mayBeMore) {
            throw new IllegalArgumentException("%d arguments are needed %s, not %d"
                    .formatted(argumentNames.size(), argumentNames, arguments.size()));
        }
        handler.run(store, new Arguments(argumentNames, arguments), answer);
    }
}
