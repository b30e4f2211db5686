package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** What a volume refuses: sizes, scopes that are another thread's, memory that somebody has pinned. */
@Timeout(60)
class VolumeRefusalsTest extends SmallStoreTest {

    @Test
    void shouldNotTakeMemoryAwayUnderAPin() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Snapshot snapshot = volume.snapshot("s");
            try (Pin _ = volume.pin(1 << 20, 4096, PinMode.READ);
                    Pin _ = snapshot.pin(0, 4096)) {
                assertPinned(() -> volume.resize(4096));
                assertPinned(snapshot::release);
            }
            snapshot.release();
            snapshot.delete();
            try (Pin _ = volume.pin(0, 4096, PinMode.READ)) {
                assertPinned(() -> store.deleteVolume("v"));
                assertEquals(0, volume.memory().get(ValueLayout.JAVA_LONG, 0));
            }
            volume.resize(4096);
            store.deleteVolume("v");
        }
    }

    @Test
    void shouldRefuseToCommitWhenAThreadEndedWithinItsWriteScope() throws Exception {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Volume other = store.createVolume("other", TWO_MIB);
            final Thread forgetful = Thread.ofPlatform().name("forgetful").start(volume::writeScope);
            forgetful.join();
            volume.memory().set(ValueLayout.JAVA_LONG, 0, 1);
            other.memory().set(ValueLayout.JAVA_LONG, 0, 1);
            for (Executable action : List.<Executable>of(volume::commit, volume::rollback, () -> volume.resize(4096))) {
                final StoreException e = assertThrows(StoreBusyException.class, action);
                assertTrue(e.getMessage().contains("'forgetful'"), e.getMessage());
            }
            other.commit();
        }
    }

    private static void assertPinned(Executable action) {
        final StoreException e = assertThrows(StoreBusyException.class, action);
        assertTrue(e.getMessage().contains("pinned: close the pins"), e.getMessage());
    }

    @Test
    void shouldLetAWriteScopeBeClosedByItsOwnThreadOnly() throws Exception {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            final Scope scope = volume.writeScope();
            final FutureTask<Void> stranger = new FutureTask<>(() -> {
                try (Scope _ = volume.writeScope()) {
                    assertThrows(IllegalStateException.class, scope::close);
                }
                return null;
            });
            Thread.ofPlatform().start(stranger);
            stranger.get();
            scope.close();
            store.commit();
        }
    }

    @Test
    void shouldMapAVolumeThatLeavesLittleAddressSpace() {
        try (Store store = create()) {
            final long size = 20L << 40;
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(size));
            volume.memory().set(ValueLayout.JAVA_LONG, size - 8, 7);
            volume.commit();
            assertEquals(7, volume.memory().get(ValueLayout.JAVA_LONG, size - 8));
        }
    }

    @Test
    void shouldRefuseASizeThatNoVolumeCanHave() {
        try (Store store = create()) {
            final Volume volume = store.createVolume("v", TWO_MIB);
            for (int times = 0; times < 2; times++) { // unmapped, then mapped
                for (long size : new long[] {0, -1, Long.MAX_VALUE, (4096L << 36) + 1}) {
                    final StoreException e = assertThrows(StoreException.class, () -> volume.resize(size));
                    assertTrue(e.getMessage().endsWith("from 1 to 2^36 pages: " + size), e.getMessage());
                }
                volume.memory();
            }
        }
    }
}
