package org.kvmdb;

import java.util.Objects;

/**
 * Options for receiving a stream. Immutable; start from {@link #into(String)}.
 *
 * @param volumeName the volume that gets the snapshot: a new one for a full stream, the one that has the base for an
 *     incremental stream
 * @param force for an incremental stream, whether to drop changes made to the volume since the base, committed or not.
 *     Changes that a snapshot holds stay in that snapshot.
 * @param progress told how far receiving is
 */
public record ReceiveOptions(String volumeName, boolean force, StreamProgress progress) {

    public ReceiveOptions {
        Objects.requireNonNull(volumeName);
        Objects.requireNonNull(progress);
    }

    public static ReceiveOptions into(String volumeName) {
        return new ReceiveOptions(volumeName, false, StreamProgress.NONE);
    }

    public ReceiveOptions withForce(boolean drop) {
        return new ReceiveOptions(volumeName, drop, progress);
    }

    public ReceiveOptions withProgress(StreamProgress listener) {
        return new ReceiveOptions(volumeName, force, listener);
    }
}
