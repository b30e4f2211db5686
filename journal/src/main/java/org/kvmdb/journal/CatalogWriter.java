package org.kvmdb.journal;

import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.StorageException;

/** Changes of the catalog: one record each, committed and flushed before memory follows. Under the append lock. */
final class CatalogWriter {

    private final Catalog catalog;
    private final PageMap map;
    private final LogWriter log;
    private final Counters counters;
    private final RandomGenerator random;

    CatalogWriter(Catalog catalog, PageMap map, LogWriter log, Counters counters, RandomGenerator random) {
        this.catalog = catalog;
        this.map = map;
        this.log = log;
        this.counters = counters;
        this.random = random;
    }

    VolumeEntry create(String name, long sizeBytes, int pageShift) {
        final byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        if (nameBytes.length < 1
                || nameBytes.length > RecordDescriptor.NAME_LENGTH_MAX
                || pageShift < BlockDescriptor.PAGE_SHIFT_MIN
                || pageShift > BlockDescriptor.PAGE_SHIFT_MAX
                || isImpossibleSize(sizeBytes, pageShift)) {
            throw new StorageException(
                    ErrorCode.INVALID,
                    "no such volume is possible: name=%s size=%d page shift=%d".formatted(name, sizeBytes, pageShift));
        }
        if (catalog.contains(name)) {
            throw new StorageException(ErrorCode.VOLUME_EXISTS, "there is a volume already: " + name);
        }
        final int id = catalog.nextId();
        final long family = Integer.toUnsignedLong(random.nextInt() | 1);
        commit(SpaceClaim.COMMIT, () -> log.createRecord(id, pageShift, nameBytes, sizeBytes, family));
        final VolumeEntry volume = new VolumeEntry(id, name, sizeBytes, pageShift, family, 0);
        volume.mapRoot(map.newRoot());
        catalog.add(volume);
        return volume;
    }

    void delete(VolumeEntry volume) {
        commit(
                SpaceClaim.MAKE_ROOM,
                () -> log.record(RecordDescriptor.KIND_VOLUME_DELETE, 0, volume.id(), 0, 0));
        catalog.remove(volume);
        map.remove(volume);
    }

    void resize(VolumeEntry volume, long sizeBytes) {
        if (isImpossibleSize(sizeBytes, volume.pageShift())) {
            throw new StorageException(
                    ErrorCode.INVALID, "no such size is possible: volume=%s size=%d".formatted(volume.name(), sizeBytes));
        }
        commit(
                sizeBytes < volume.sizeBytes() ? SpaceClaim.MAKE_ROOM : SpaceClaim.COMMIT,
                () -> log.record(RecordDescriptor.KIND_VOLUME_RESIZE, 0, volume.id(), sizeBytes, 0));
        map.resize(volume, sizeBytes);
    }

    private static boolean isImpossibleSize(long sizeBytes, int pageShift) {
        return sizeBytes < 0 || VolumeEntry.pageCount(sizeBytes, pageShift) > MapNodeDescriptor.LPN_LIMIT;
    }

    private void commit(SpaceClaim claim, Runnable record) {
        log.beginGroup(claim);
        try {
            record.run();
            log.endGroup(BatchDescriptor.FLAG_COMMIT);
        } catch (RuntimeException e) {
            log.abandonGroup();
            throw e;
        }
        log.flush();
        counters.recordsSinceCheckpoint++;
    }
}
