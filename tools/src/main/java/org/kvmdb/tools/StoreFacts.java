package org.kvmdb.tools;

import java.util.List;
import org.kvmdb.Store;
import org.kvmdb.StoreStatistics;
import org.kvmdb.Volume;

/** What is worth telling of a store and its volumes. */
final class StoreFacts {

    private StoreFacts() {}

    static Facts of(Volume volume) {
        return new Facts()
                .text("volume", "name", volume.name())
                .size("size", "sizeBytes", volume.sizeBytes())
                .size("page size", "pageSizeBytes", volume.pageSizeBytes())
                .count("committed LSN", "committedLsn", volume.committedLsn());
    }

    static List<Facts> ofVolumes(Store store) {
        return store.volumes().stream().map(StoreFacts::of).toList();
    }

    static Facts of(Store store) {
        StoreStatistics.Log log = store.statistics().log();
        return new Facts()
                .text("store", "store", store.path())
                .size("on disk", "fileBytes", log.fileBytes())
                .size("in use", "liveBytes", log.liveBytes())
                .size("free in segments", "freeBytes", log.freeBytes())
                .size("memory of the map", "mapBytes", log.mapBytes())
                .count("log sequence", "sequence", log.sequence())
                .count("known durable", "durableSequence", log.durableSequence())
                .duration("opened in", "recoveryNanos", log.recoveryNanos())
                .count("records replayed", "replayedRecords", log.replayedRecords())
                .count("torn batches cut", "cutBatches", log.cutBatches());
    }
}
