package org.kvmdb.journal;

/** Receives blocks. */
@FunctionalInterface
public interface BlockVisitor {

    /** @param crc what the log's record says that the block's checksum is; meaningless but for {@link BlockOwner.Role#LOG} */
    void block(BlockOwner owner, long lpn, long ppn, int crc);
}
