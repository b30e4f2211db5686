package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;

/** A source of blocks to verify. Any number of threads, each with a verifier of its own. */
public interface BlockSource {

    /** Where a block lies on the device. */
    long position(long ppn);

    /** Reads what is durable, past the system's caches; all but the length in multiples of 4 KiB. */
    long read(long position, MemorySegment buffer);

    /** What verifies blocks; for one thread. */
    BlockVerifier newVerifier();
}
