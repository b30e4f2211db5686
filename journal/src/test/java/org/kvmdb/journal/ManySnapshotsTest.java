package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bad input number 6: a catalog of a million snapshots, deleted ones among them, one the child of the other. */
class ManySnapshotsTest {

    private static final int COUNT = 1_000_000;
    private static final int FAMILY = 5;
    private static final long CURSOR = 1 << 20;

    private static MetadataCodec.VersionImage version(int kind, int id, int parent, boolean isDeleted) {
        final boolean isSnapshot = kind == CatalogDescriptor.KIND_SNAPSHOT;
        return new MetadataCodec.VersionImage(
                kind, id, isSnapshot ? "s" + id : "v", 1 << 20, 12, FAMILY, 0, 0, parent, isSnapshot ? id : 0,
                isSnapshot ? 1 : 0, isDeleted, id, 0, 0, 0, 0, isDeleted ? CURSOR : 0);
    }

    /** The time is far above what it takes, and far below what anything takes that is not linear. */
    @Test
    void shouldLoadAMillionSnapshotsAndLookThroughThem() {
        final List<MetadataCodec.VersionImage> images = new ArrayList<>();
        images.add(version(CatalogDescriptor.KIND_VOLUME, 1, COUNT + 1, false));
        for (int id = 2; id <= COUNT + 1; id++) {
            images.add(version(CatalogDescriptor.KIND_SNAPSHOT, id, id == 2 ? 0 : id - 1, true));
        }
        final Catalog catalog = new Catalog();
        assertTimeoutPreemptively(Duration.ofMinutes(2), () -> {
            new CatalogLoader(catalog).load(images, COUNT + 2);
            // All of them are passed by their deletion up to there: the head takes after none.
            assertEquals(0, catalog.volume("v").parentEpoch(1));
            assertEquals(COUNT + 1, catalog.volume("v").parentEpoch(CURSOR + 1));
        });
        assertEquals(COUNT + 1, catalog.versions().size());
    }
}
