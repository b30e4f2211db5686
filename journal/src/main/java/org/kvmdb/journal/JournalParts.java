package org.kvmdb.journal;

/** The parts of an open journal, passed together while it is assembled. */
record JournalParts(
        Device device,
        SegmentTable segments,
        NodeArena arena,
        PageMap map,
        Catalog catalog,
        StoreDictionary dictionary,
        SuperblockStore superblocks,
        LogWriter log,
        Counters counters,
        Failure failure) {

    /** What a checkpoint of them takes. */
    CheckpointSize checkpointSize() {
        return new CheckpointSize(segments, arena, catalog, dictionary, counters);
    }
}
