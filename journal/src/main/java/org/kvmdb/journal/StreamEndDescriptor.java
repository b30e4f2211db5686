package org.kvmdb.journal;

/**
 * Body of the last chunk of a stream: what there was of it.
 *
 * <pre>
 *   0       8       16              24
 *  +-------+-------+---------------+
 *  | pages | holes | payload bytes |
 *  +-------+-------+---------------+
 * </pre>
 */
final class StreamEndDescriptor {

    static final int PAGES_OFFSET = 0;
    static final int HOLES_OFFSET = PAGES_OFFSET + Long.BYTES;
    static final int PAYLOAD_BYTES_OFFSET = HOLES_OFFSET + Long.BYTES;
    static final int LENGTH = PAYLOAD_BYTES_OFFSET + Long.BYTES;

    private StreamEndDescriptor() {}
}
