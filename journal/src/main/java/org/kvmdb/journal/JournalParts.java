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
        Failure failure) {}
