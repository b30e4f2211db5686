package org.kvmdb.tools;

import java.time.temporal.ChronoUnit;
import java.util.List;
import org.kvmdb.Snapshot;
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
                .size("referenced", "referencedBytes", volume.referencedBytes())
                .limit("quota", "quotaBytes", volume.quotaBytes())
                .count("committed LSN", "committedLsn", volume.committedLsn());
    }

    static Facts of(Snapshot snapshot) {
        return new Facts()
                .text("snapshot", "name", snapshot.fullName())
                .text("taken", "created", snapshot.created().truncatedTo(ChronoUnit.SECONDS))
                .size("size", "sizeBytes", snapshot.sizeBytes())
                .size("referenced", "referencedBytes", snapshot.referencedBytes())
                .count("committed LSN", "committedLsn", snapshot.committedLsn());
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
                .count("snapshots", "snapshots", store.snapshots().size())
                .count("log sequence", "sequence", log.sequence())
                .count("known durable", "durableSequence", log.durableSequence())
                .duration("opened in", "recoveryNanos", log.recoveryNanos())
                .count("records replayed", "replayedRecords", log.replayedRecords())
                .count("torn batches cut", "cutBatches", log.cutBatches());
    }
}
