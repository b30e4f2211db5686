package org.kvmdb;

/** Receives the progress of a stream after each chunk of at most 1 MiB, on the thread that sends or receives it. */
@FunctionalInterface
public interface StreamProgress {

    /** Ignores progress. */
    StreamProgress NONE = (offset, sizeBytes) -> {};

    /**
     * Called after a chunk was sent or received.
     *
     * @param offset offset in the volume that the stream has reached; streams are in order of offsets
     * @param sizeBytes size of the volume
     */
    void reached(long offset, long sizeBytes);
}
