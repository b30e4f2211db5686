package org.kvmdb.journal;

/**
 * The tables that the journal shares with the fault handler, besides the space account.
 *
 * @param nodeArenaAddress memory of the map nodes
 * @param nodeArenaCapacity capacity of that memory, in nodes
 * @param segmentTableAddress memory of the segment table
 * @param segmentTableCapacity capacity of that memory, in entries
 * @param deviceFds descriptors of the devices, in the order of the segment table's device index
 */
public record FaultTables(
        long nodeArenaAddress, long nodeArenaCapacity, long segmentTableAddress, long segmentTableCapacity,
        int[] deviceFds) {}
