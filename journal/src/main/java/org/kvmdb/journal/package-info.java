/**
 * Everything durable of a store: devices, superblocks, segments, the log, the map from LPN to PPN, checkpoints and
 * recovery. {@link org.kvmdb.journal.Journal} is the entry point; {@code docs/format.md} describes the format on the
 * medium.
 *
 * <p>Priorities, in order: acknowledged commits are never lost and never altered unnoticed, and other commits are never
 * visible in part; input from the medium is considered hostile until its checksum and its identity are verified; a
 * failed write or flush ends the journal and is never retried; a commit takes one device write and one flush; recovery
 * takes time in proportion to the log since the last checkpoint.
 *
 * <p>Threads: none of its own. The log, the map, the catalog and the segment table have one writer, the holder of the
 * append lock: an {@link org.kvmdb.journal.Append} from its begin to its close, a change of the catalog, a step of a
 * checkpoint or of the cleaner. A checkpoint holds the checkpoint lock throughout, and the append lock to cut, to
 * append a piece of nodes and to end. All threads, including those in the fault handler, read the map and the segment
 * table without locks; nodes and segments are reused only after the {@link org.kvmdb.journal.ReaderGrace}.
 * {@link org.kvmdb.journal.BlockEncoder} runs on any thread, in parallel.
 *
 * <p>Hot paths: {@code Append.page}, which copies and seals a block into the batch; {@code Append.apply}, which flips
 * entries of the map; {@code Journal.lookup}. None of them allocates per page, except to grow its arrays.
 */
package org.kvmdb.journal;
