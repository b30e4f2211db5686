package org.kvmdb.journal;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;

/** Builds the catalog and the tree of versions from a checkpoint, whose content it considers hostile. */
final class CatalogLoader {

    private final Catalog catalog;
    private final Map<Integer, Version> versions = new HashMap<>();

    CatalogLoader(Catalog catalog) {
        this.catalog = catalog;
    }

    void load(List<MetadataCodec.VersionImage> images, long epoch) {
        if (epoch < 1 || epoch >= Integer.MAX_VALUE) {
            throw Corrupt.store("the superblock has an impossible epoch: " + epoch);
        }
        catalog.epoch((int) epoch);
        for (MetadataCodec.VersionImage image : images) {
            if (image.kind() == CatalogDescriptor.KIND_VOLUME) {
                add(image, volume(image));
            }
        }
        for (MetadataCodec.VersionImage image : images) {
            if (image.kind() == CatalogDescriptor.KIND_SNAPSHOT) {
                add(image, snapshot(image));
            } else if (image.kind() != CatalogDescriptor.KIND_VOLUME) {
                throw impossible(image);
            }
        }
        images.forEach(this::link);
    }

    private VolumeEntry volume(MetadataCodec.VersionImage image) {
        checkVolume(image.id(), image.name(), image.sizeBytes(), image.pageShift(), image.familyId());
        if (!image.isDeleted() && catalog.contains(image.name()) || image.quotaBytes() < 0) {
            throw impossible(image);
        }
        final VolumeEntry volume = new VolumeEntry(
                image.id(), image.name(), image.sizeBytes(), image.pageShift(), image.familyId(), image.lsn());
        volume.quotaBytes(image.quotaBytes());
        return volume;
    }

    private SnapshotEntry snapshot(MetadataCodec.VersionImage image) {
        checkVolume(image.id(), image.name(), image.sizeBytes(), image.pageShift(), image.familyId());
        final VolumeEntry owner = owner(image);
        if (image.epoch() < 1
                || image.epoch() >= catalog.epoch()
                || image.name().indexOf('@') >= 0
                || owner.familyId() != image.familyId()
                || owner.pageShift() != image.pageShift()
                || !image.isDeleted() && catalog.containsSnapshot(owner, image.name())) {
            throw impossible(image);
        }
        return new SnapshotEntry(
                image.id(), owner, image.name(), image.sizeBytes(), image.lsn(), image.epoch(), image.guid(),
                image.createdMillis());
    }

    /** The volume whose snapshot it is; of a deleted snapshot it may be gone. */
    private VolumeEntry owner(MetadataCodec.VersionImage image) {
        if (versions.get(image.volume()) instanceof VolumeEntry volume) {
            return volume;
        }
        if (!image.isDeleted()) {
            throw impossible(image);
        }
        return new VolumeEntry(image.volume(), "(deleted)", 0, image.pageShift(), image.familyId(), 0);
    }

    private void add(MetadataCodec.VersionImage image, Version version) {
        if (Ppn.flags(image.rootPpn()) != 0
                || image.referencedPages() < 0
                || image.referencedPages() > version.pageCount()
                || image.referencedBytes() < 0
                || image.dropCursor() < 0
                || image.dropCursor() > MapNodeDescriptor.LPN_LIMIT
                || image.dropCursor() > 0 && !image.isDeleted()
                || versions.put(version.id(), version) != null) {
            throw impossible(image);
        }
        version.storedRoot(image.rootPpn());
        version.referenced(image.referencedPages(), image.referencedBytes());
        version.dropCursor(image.dropCursor());
        if (image.isDeleted()) {
            version.markDeleted();
            catalog.addDeleted(version);
        } else if (version instanceof SnapshotEntry snapshot) {
            catalog.add(snapshot);
        } else {
            catalog.add((VolumeEntry) version);
        }
    }

    /** Parents are snapshots of the family that are older: so there is no way around in a circle. */
    private void link(MetadataCodec.VersionImage image) {
        if (image.parent() == 0) {
            return;
        }
        final Version version = versions.get(image.id());
        if (!(versions.get(image.parent()) instanceof SnapshotEntry parent)
                || parent.epoch() >= version.epoch()
                || parent.familyId() != version.familyId()) {
            throw impossible(image);
        }
        version.parent(parent);
    }

    private void checkVolume(int id, String name, long sizeBytes, int pageShift, long familyId) {
        if (versions.containsKey(id)) {
            throw Corrupt.store("two versions have the id " + id);
        }
        checkVersion(id, name, sizeBytes, pageShift, familyId);
    }

    /** What must hold of a version that is read from the medium. */
    static void checkVersion(int id, String name, long sizeBytes, int pageShift, long familyId) {
        if (id < 1
                || id == Integer.MAX_VALUE
                || !isName(name)
                || pageShift < BlockDescriptor.PAGE_SHIFT_MIN
                || pageShift > BlockDescriptor.PAGE_SHIFT_MAX
                || sizeBytes < 0
                || Version.pageCount(sizeBytes, pageShift) > MapNodeDescriptor.LPN_LIMIT
                || !NodeIdentity.isVolumeFamily(familyId)) {
            throw Corrupt.store("volume is impossible: id=%d name=%s size=%d pageShift=%d family=0x%x"
                    .formatted(id, name, sizeBytes, pageShift, familyId));
        }
    }

    /** Whether a name has a length that the catalog can hold. */
    static boolean isName(String name) {
        final int length = name.getBytes(StandardCharsets.UTF_8).length;
        return length >= 1 && length <= RecordDescriptor.NAME_LENGTH_MAX;
    }

    private static RuntimeException impossible(MetadataCodec.VersionImage image) {
        return Corrupt.store("version is impossible: " + image);
    }
}
