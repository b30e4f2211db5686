package org.kvmdb.journal;

/**
 * The tail of a record SNAPSHOT_CREATE. Little endian.
 *
 * <pre>
 *   0             4          8
 *  +-------------+----------+---------------~--+
 *  | snapshot id | owner id | snapshot name    |
 *  +-------------+----------+---------------~--+
 * </pre>
 */
final class SnapshotTailDescriptor {

    static final int SNAPSHOT_ID_OFFSET = 0;
    static final int OWNER_ID_OFFSET = SNAPSHOT_ID_OFFSET + Integer.BYTES;
    static final int SNAPSHOT_NAME_OFFSET = OWNER_ID_OFFSET + Integer.BYTES;

    private SnapshotTailDescriptor() {}
}
