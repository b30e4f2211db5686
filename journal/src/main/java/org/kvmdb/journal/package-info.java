/**
 * Everything durable of a store: devices, superblocks, segments, the log, the map from LPN to PPN, checkpoints and
 * recovery. {@link org.kvmdb.journal.Journal} is the door; {@code docs/format.md} describes what lies on the medium.
 *
 * <p>Priorities, in order: what was acknowledged is never lost or altered unnoticed, and what was not is never seen in
 * part; everything read from the medium is taken for hostile until its checksum and its identity are verified; a failed
 * write or flush ends the journal and is never retried; one device write and one flush per commit; recovery in time of
 * the log since the last checkpoint.
 *
 * <p>Threads: none of its own. The log, the map, the catalog and the segment table have one writer, whoever holds the append
 * lock: an {@link org.kvmdb.journal.Append} from its begin to its close, a change of the catalog, a step of a checkpoint.
 * A checkpoint holds the checkpoint lock throughout and the append lock only to cut and to end. The map and the segment
 * table are read by anybody without locks, the fault handler among them; their nodes and segments are reused after the
 * {@link org.kvmdb.journal.ReaderGrace}. {@link org.kvmdb.journal.BlockEncoder} runs on any thread, in parallel.
 *
 * <p>Hot paths: {@code Append.page}, which copies and seals a block into the batch; {@code Append.apply}, which flips
 * entries of the map; {@code Journal.lookup}. Neither allocates per page beyond growing its arrays.
 */
package org.kvmdb.journal;
