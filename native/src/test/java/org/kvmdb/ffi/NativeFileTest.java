package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeFileTest {

    private static final int LENGTH = 3 * 4096 + 17;

    @TempDir
    Path directory;

    private final Arena arena = Arena.ofShared();

    @AfterEach
    void free() {
        arena.close();
    }

    private MemorySegment noise(long seed, int length) {
        final byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }

    private static void assertCode(ErrorCode code, Runnable action) {
        assertEquals(code, assertThrows(StorageException.class, action::run).code());
    }

    @Test
    void shouldReadWhatWasWritten() {
        final MemorySegment written = noise(1, LENGTH);
        try (NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE)) {
            file.write(100, written);
            file.flush();
            final MemorySegment read = arena.allocate(LENGTH);
            assertEquals(LENGTH, file.read(100, read));
            assertEquals(-1, written.mismatch(read));
            assertEquals(100 + LENGTH, file.sizeBytes());
        }
    }

    @Test
    void shouldReadWhatThereIsWhenTheFileEnds() {
        try (NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE)) {
            file.write(0, noise(2, 1000));
            final MemorySegment read = arena.allocate(4096);
            assertEquals(900, file.read(100, read));
            assertEquals(0, file.read(1000, read));
            assertEquals(0, file.read(1 << 20, read));
        }
    }

    @Test
    void shouldAllocateAndGiveBackSpace() {
        try (NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE)) {
            file.allocate(0, 1 << 20);
            assertEquals(1 << 20, file.sizeBytes());
            assertTrue(file.allocatedBytes() >= 1 << 20);
            file.write(0, noise(3, 1 << 20));
            file.punchHole(0, 1 << 19);
            assertEquals(1 << 20, file.sizeBytes());
            assertTrue(file.allocatedBytes() < 1 << 20);
            final MemorySegment read = arena.allocate(1 << 19);
            file.read(0, read);
            assertEquals(-1, read.mismatch(arena.allocate(1 << 19)));
            file.truncate(4096);
            assertEquals(4096, file.sizeBytes());
        }
    }

    @Test
    void shouldRefuseToCreateWhatExists() throws IOException {
        Files.write(directory.resolve("f"), new byte[] {1, 2, 3});
        assertCode(ErrorCode.ALREADY_EXISTS, () -> NativeFile.open(directory.resolve("f"), NativeFile.CREATE));
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(directory.resolve("f")));
    }

    @Test
    void shouldKeepAFileToItsOwner() throws IOException {
        NativeFile.open(directory.resolve("f"), NativeFile.CREATE).close();
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("f"))));
    }

    @Test
    void shouldSayThatThereIsNothing() {
        assertCode(ErrorCode.NOT_A_STORE, () -> NativeFile.open(directory.resolve("f"), 0));
    }

    @Test
    void shouldNotFollowASymbolicLink() throws IOException {
        Files.write(directory.resolve("f"), new byte[1]);
        Files.createSymbolicLink(directory.resolve("link"), directory.resolve("f"));
        final StorageException e =
                assertThrows(StorageException.class, () -> NativeFile.open(directory.resolve("link"), 0));
        assertTrue(e.getMessage().contains("symbolic link"), e.getMessage());
    }

    @Test
    void shouldRefuseADirectory() {
        final StorageException e = assertThrows(StorageException.class, () -> NativeFile.open(directory, 0));
        assertTrue(e.getMessage().contains("EISDIR"), e.getMessage());
        assertThrows(StorageException.class, () -> NativeFile.open(directory, NativeFile.READ_ONLY));
    }

    @Test
    void shouldRefuseAFifoAndNotHang() throws IOException, InterruptedException {
        final Path fifo = directory.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            assertCode(ErrorCode.INVALID, () -> NativeFile.open(fifo, 0));
            assertCode(ErrorCode.INVALID, () -> NativeFile.open(fifo, NativeFile.READ_ONLY));
        });
    }

    @Test
    void shouldRefuseACharacterDevice() {
        assertCode(ErrorCode.INVALID, () -> NativeFile.open(Path.of("/dev/zero"), 0));
    }

    @Test
    void shouldLockTheInodeThroughWhateverName() throws IOException {
        final Path name = directory.resolve("f");
        final Path other = directory.resolve("g");
        try (NativeFile file = NativeFile.open(name, NativeFile.CREATE)) {
            Files.createLink(other, name);
            assertTrue(file.tryLock(true));
            try (NativeFile second = NativeFile.open(other, 0)) {
                assertFalse(second.tryLock(true));
                assertFalse(second.tryLock(false));
            }
            // A descriptor of the same file that is closed does not take the lock with it.
            try (NativeFile third = NativeFile.open(name, 0)) {
                assertFalse(third.tryLock(true));
            }
        }
        try (NativeFile again = NativeFile.open(other, 0)) {
            assertTrue(again.tryLock(true));
        }
    }

    @Test
    void shouldShareALockAmongReaders() {
        final Path name = directory.resolve("f");
        try (NativeFile file = NativeFile.open(name, NativeFile.CREATE);
                NativeFile second = NativeFile.open(name, NativeFile.READ_ONLY)) {
            assertTrue(file.tryLock(false));
            assertTrue(second.tryLock(false));
        }
    }

    @Test
    void shouldRefuseToWriteWhenReadOnly() {
        NativeFile.open(directory.resolve("f"), NativeFile.CREATE).close();
        try (NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.READ_ONLY)) {
            assertCode(ErrorCode.IO, () -> file.write(0, noise(4, 10)));
        }
    }

    @Test
    void shouldLeaveNoNameWhenUnnamed() throws IOException {
        try (NativeFile file = NativeFile.open(directory, NativeFile.UNNAMED)) {
            file.write(0, noise(5, 4096));
            try (var names = Files.list(directory)) {
                assertEquals(0, names.count());
            }
        }
    }

    @Test
    void shouldLiveInMemory() {
        try (NativeFile file = NativeFile.inMemory("test")) {
            final MemorySegment written = noise(6, LENGTH);
            file.write(8192, written);
            final MemorySegment read = arena.allocate(LENGTH);
            assertEquals(LENGTH, file.read(8192, read));
            assertEquals(-1, written.mismatch(read));
        }
    }

    @Test
    void shouldCloseOnce() {
        final NativeFile file = NativeFile.open(directory.resolve("f"), NativeFile.CREATE);
        file.close();
        file.close();
    }

    @Test
    void shouldFlushADirectory() {
        NativeFile.flushDirectory(directory);
        assertCode(ErrorCode.NOT_A_STORE, () -> NativeFile.flushDirectory(directory.resolve("none")));
    }

    @Test
    void shouldFindItsEntriesWhenADirectoryWasRenamed() throws IOException {
        final Path before = Files.createDirectory(directory.resolve("before"));
        Files.writeString(before.resolve("f"), "content");
        try (NativeFile opened = NativeFile.openDirectory(before)) {
            Files.move(before, directory.resolve("after"));
            assertEquals("content", Files.readString(Path.of("/proc/self/fd/" + opened.fd(), "f")));
        }
        assertCode(ErrorCode.NOT_A_STORE, () -> NativeFile.openDirectory(before));
        assertCode(ErrorCode.IO, () -> NativeFile.openDirectory(directory.resolve("after/f")));
    }
}
