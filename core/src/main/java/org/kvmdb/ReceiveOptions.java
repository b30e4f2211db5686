package org.kvmdb;

import java.util.Objects;

/**
 * What is done with a stream. Immutable; start from {@link #into(String)}.
 *
 * @param volumeName of the volume that gets the snapshot: of a full stream a new one, of an incremental one that which
 *     has the base
 * @param force of an incremental stream: what was changed in the volume since the base is dropped, committed or not,
 *     unless a snapshot has it
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
