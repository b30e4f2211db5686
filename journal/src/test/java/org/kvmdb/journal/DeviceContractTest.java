package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.RecordingDevice;

/** What every device promises. */
class DeviceContractTest {

    private static final int UNIT = 4096;

    @TempDir
    private Path directory;

    static Stream<Named<Function<Path, Device>>> devices() {
        return Stream.of(
                Named.of("memory", path -> new MemoryDevice("contract")),
                Named.of("file", path -> FileDevice.create(path.resolve("device"))),
                Named.of("faulty", path -> new FaultyDevice(new MemoryDevice("contract"))),
                Named.of("recording", path -> new RecordingDevice(new MemoryDevice("contract"))));
    }

    private static MemorySegment filled(Arena arena, int length, int seed) {
        final MemorySegment segment = arena.allocate(length, UNIT);
        for (int i = 0; i < length; i++) {
            Fields.putByte(segment, i, i * 31 + seed | 1);
        }
        return segment;
    }

    @ParameterizedTest
    @MethodSource("devices")
    void shouldReadWhatWasWritten(Function<Path, Device> factory) {
        try (Device device = factory.apply(directory);
                Arena arena = Arena.ofConfined()) {
            final MemorySegment written = filled(arena, 3 * UNIT, 1);
            final MemorySegment read = arena.allocate(3 * UNIT, UNIT);
            device.write(2 * UNIT, written);
            device.flush();
            assertEquals(5 * UNIT, device.sizeBytes());
            assertEquals(3 * UNIT, device.read(2 * UNIT, read));
            assertEquals(-1, read.mismatch(written));
            read.fill((byte) 0);
            assertEquals(3 * UNIT, device.readDurable(2 * UNIT, read));
            assertEquals(-1, read.mismatch(written));
            assertEquals(2 * UNIT, device.read(0, read.asSlice(0, 2 * UNIT)));
            assertTrue(Fields.isZero(read, 0, 2 * UNIT), "a hole reads as zeros");
            device.writeBack(0, 5 * UNIT);
            assertTrue(device.fd() >= 0);
            assertFalse(device.isReadOnly());
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void shouldReadLessWhenTheDeviceEnds(Function<Path, Device> factory) {
        try (Device device = factory.apply(directory);
                Arena arena = Arena.ofConfined()) {
            device.write(0, filled(arena, UNIT + 100, 2));
            final MemorySegment read = arena.allocate(3 * UNIT, UNIT);
            assertEquals(UNIT + 100, device.read(0, read));
            assertEquals(UNIT + 100, device.readDurable(0, read));
            assertEquals(100, device.readDurable(UNIT, read));
            assertEquals(0, device.read(4 * UNIT, read));
            assertEquals(0, device.readDurable(4 * UNIT, read));
            assertEquals(0, device.read(0, read.asSlice(0, 0)));
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void shouldKeepWhatIsThereWhenSpaceIsAllocated(Function<Path, Device> factory) {
        try (Device device = factory.apply(directory);
                Arena arena = Arena.ofConfined()) {
            final MemorySegment written = filled(arena, UNIT, 3);
            device.write(0, written);
            device.allocate(0, 8 * UNIT);
            device.flush();
            final MemorySegment read = arena.allocate(UNIT, UNIT);
            assertEquals(UNIT, device.read(0, read));
            assertEquals(-1, read.mismatch(written));
            assertTrue(device.sizeBytes() >= UNIT);
            assertTrue(device.allocatedBytes() >= UNIT);
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void shouldLeaveTheNeighboursWhenSpaceIsGivenBack(Function<Path, Device> factory) {
        try (Device device = factory.apply(directory);
                Arena arena = Arena.ofConfined()) {
            final MemorySegment written = filled(arena, 3 * UNIT, 4);
            device.write(0, written);
            device.discard(UNIT, UNIT);
            assertEquals(3 * UNIT, device.sizeBytes());
            final MemorySegment read = arena.allocate(3 * UNIT, UNIT);
            assertEquals(3 * UNIT, device.read(0, read));
            assertEquals(-1, read.asSlice(0, UNIT).mismatch(written.asSlice(0, UNIT)));
            assertEquals(-1, read.asSlice(2 * UNIT).mismatch(written.asSlice(2 * UNIT)));
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void shouldThrowWhenUsedAfterClose(Function<Path, Device> factory) {
        final Device device = factory.apply(directory);
        device.close();
        device.close();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment buffer = arena.allocate(UNIT, UNIT);
            assertThrows(StorageException.class, () -> device.read(0, buffer));
            assertThrows(StorageException.class, () -> device.readDurable(0, buffer));
            assertThrows(StorageException.class, () -> device.write(0, buffer));
            assertThrows(StorageException.class, device::flush);
            assertThrows(StorageException.class, device::sizeBytes);
            assertThrows(StorageException.class, () -> device.allocate(0, UNIT));
            assertThrows(StorageException.class, () -> device.discard(0, UNIT));
        }
    }
}
