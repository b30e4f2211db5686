package org.kvmdb.journal;

/**
 * What the journal shares with the fault handler beside the space account.
 *
 * @param nodeArenaAddress memory of the map nodes
 * @param nodeArenaCapacity nodes that it has room for
 * @param segmentTableAddress memory of the segment table
 * @param segmentTableCapacity entries that it has room for
 * @param deviceFds descriptors of the devices, in the order of the segment table's device index
 */
public record FaultTables(
        long nodeArenaAddress, long nodeArenaCapacity, long segmentTableAddress, long segmentTableCapacity,
        int[] deviceFds) {}
