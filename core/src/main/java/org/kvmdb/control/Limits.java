package org.kvmdb.control;

import java.time.Duration;

/**
 * What a server bears.
 *
 * @param connectionsMax of all kinds; who comes beyond that is told so
 * @param requestDeadline from connecting to the end of the request
 * @param writeDeadline for a client to take in something of what waits for it
 * @param alivePeriod between two signs of life while an operation has nothing to tell
 */
record Limits(int connectionsMax, Duration requestDeadline, Duration writeDeadline, Duration alivePeriod) {

    static Limits defaults() {
        return new Limits(32, Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofSeconds(5));
    }
}
