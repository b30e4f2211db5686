package org.kvmdb;

/** Is told how far a stream is, by the thread that sends or receives it, after each chunk of at most 1 MiB. */
@FunctionalInterface
public interface StreamProgress {

    /** For those who do not want to know. */
    StreamProgress NONE = (offset, sizeBytes) -> {};

    /**
     * A chunk has passed.
     *
     * @param offset in the volume that the stream has come to; what it holds is in order
     * @param sizeBytes of the volume
     */
    void reached(long offset, long sizeBytes);
}
