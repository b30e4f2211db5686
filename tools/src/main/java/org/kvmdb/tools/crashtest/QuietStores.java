package org.kvmdb.tools.crashtest;

import java.util.logging.Level;
import java.util.logging.Logger;

/** Until it is closed, stores log nothing: what they say when they are broken on purpose is no news. */
final class QuietStores implements AutoCloseable {

    /** Held here, as the log manager forgets loggers that nobody holds, with their levels. */
    private final Logger stores = Logger.getLogger("org.kvmdb");

    private final Level before = stores.getLevel();

    QuietStores() {
        stores.setLevel(Level.OFF);
    }

    @Override
    public void close() {
        stores.setLevel(before);
    }
}
