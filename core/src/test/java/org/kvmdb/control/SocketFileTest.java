package org.kvmdb.control;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;

/** Where the socket of a store lies, and what lies in its way. */
@Timeout(60)
class SocketFileTest {

    private static final StoreOptions OPTIONS = StoreOptions.defaults()
            .withCacheSizeBytes(StoreOptions.CACHE_SIZE_BYTES_MIN)
            .withSegmentSizeBytes(256 << 10)
            .withCountersFile(false);

    private static final Set<String> BESIDE_A_STORE = Set.of("store.kvmdb", "control.sock");

    @TempDir
    private Path directory;

    private Path store() {
        return directory.resolve("store");
    }

    private static Path socketOf(Path store) {
        return store.resolve("control.sock");
    }

    private static void assertAnswers(Path store) {
        assertTrue(ControlClient.ask(store, "info", List.of(), (done, total, unit) -> {}).facts().has("fileBytes"));
    }

    private static void assertUnreachable(Path store) {
        final ControlException failure =
                assertThrows(ControlException.class, () -> ControlClient.ask(store, "info", List.of(), null));
        assertEquals("UNREACHABLE", failure.code());
        assertTrue(failure.isPassing());
    }

    private static Set<String> entriesOf(Path directory) throws IOException {
        try (var entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    private void createClosed() {
        Store.create(store(), OPTIONS).close();
    }

    @Test
    void shouldBelongToTheUserAloneWhenAStoreIsOpen() throws IOException {
        try (Store store = Store.create(store(), OPTIONS)) {
            final Path socket = socketOf(store.path());
            assertTrue(SocketFile.isSocket(socket));
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
            assertEquals(Peers.self(), Files.getOwner(socket));
            assertEquals(BESIDE_A_STORE, entriesOf(store.path()));
            assertAnswers(store.path());
        }
        assertEquals(Set.of("store.kvmdb"), entriesOf(store()));
        assertUnreachable(store());
    }

    @Test
    void shouldNotExistWhenItIsNotWanted() throws IOException {
        try (Store store = Store.create(store(), OPTIONS.withControlSocket(false))) {
            assertEquals(Set.of("store.kvmdb"), entriesOf(store.path()));
            assertUnreachable(store.path());
        }
    }

    @Test
    void shouldBeReplacedWhenItIsOfADeadProcess() throws IOException {
        createClosed();
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(socketOf(store())));
        }
        assertTrue(SocketFile.isSocket(socketOf(store())));
        assertUnreachable(store());
        try (Store store = Store.open(store(), OPTIONS)) {
            assertAnswers(store.path());
        }
    }

    @Test
    void shouldBeMadeWhenAProcessWasKilledWhileItMadeOne() throws IOException {
        createClosed();
        final Path nursery = Files.createDirectory(
                store().resolve(".control.new"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(nursery.resolve("control.sock")));
        }
        try (Store store = Store.open(store(), OPTIONS)) {
            assertAnswers(store.path());
            assertEquals(BESIDE_A_STORE, entriesOf(store.path()));
        }
    }

    @Test
    void shouldLeaveALinkAloneWhenOneLiesInItsPlace() throws IOException {
        createClosed();
        final Path target = Files.write(directory.resolve("target"), new byte[] {1, 2, 3});
        Files.createSymbolicLink(socketOf(store()), target);
        try (Store store = Store.open(store(), OPTIONS)) {
            assertTrue(store.volumes().isEmpty());
            assertUnreachable(store.path());
        }
        assertEquals(target, Files.readSymbolicLink(socketOf(store())));
        assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(target));
    }

    @Test
    void shouldLeaveASocketAloneWhenItIsAnotherUsers() throws IOException {
        createClosed();
        final Path socket = socketOf(store());
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(socket));
            final UserPrincipal stranger =
                    FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName("54321");
            assumeTrue(owns(socket, stranger), "only root can give files away");
            try (Store store = Store.open(store(), OPTIONS)) {
                assertTrue(store.volumes().isEmpty());
                assertEquals(stranger, Files.getOwner(socket));
            }
            assertEquals(stranger, Files.getOwner(socket));
            // In a directory of that user it is one that the user's own process may have left.
            Files.setOwner(store(), stranger);
            try (Store store = Store.open(store(), OPTIONS)) {
                assertEquals(Peers.self(), Files.getOwner(socket));
                assertAnswers(store.path());
            }
        }
    }

    private static boolean owns(Path path, UserPrincipal user) {
        try {
            Files.setOwner(path, user);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void shouldNotFollowALinkToAnotherSocketWhenAsked() throws IOException {
        createClosed();
        final Path elsewhere = directory.resolve("elsewhere");
        try (Store other = Store.create(elsewhere, OPTIONS)) {
            Files.createSymbolicLink(socketOf(store()), socketOf(other.path()));
            assertUnreachable(store());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldLeaveAFileAloneWhenOneLiesInItsPlace(boolean isDirectory) throws IOException {
        createClosed();
        final Path socket = socketOf(store());
        if (isDirectory) {
            Files.createDirectory(socket);
        } else {
            Files.write(socket, new byte[] {7});
        }
        try (Store store = Store.open(store(), OPTIONS)) {
            assertTrue(store.volumes().isEmpty());
            assertUnreachable(store.path());
        }
        assertEquals(isDirectory, Files.isDirectory(socket, LinkOption.NOFOLLOW_LINKS));
        assertTrue(isDirectory || Files.readAllBytes(socket)[0] == 7);
        assertEquals(BESIDE_A_STORE, entriesOf(store()));
    }

    @Test
    void shouldDoWithoutWhenTheDirectoryToMakeItInIsALink() throws IOException {
        createClosed();
        final Path target = Files.createDirectory(directory.resolve("target"));
        Files.createSymbolicLink(store().resolve(".control.new"), target);
        try (Store store = Store.open(store(), OPTIONS)) {
            assertUnreachable(store.path());
        }
        assertTrue(entriesOf(target).isEmpty());
    }

    @Test
    void shouldWorkWhenThePathIsFarLongerThanAnAddress() throws IOException {
        final Path deep = directory.resolve("d".repeat(200)).resolve("e".repeat(200)).resolve("store");
        try (Store store = Store.create(deep, OPTIONS)) {
            assertAnswers(store.path());
        }
        assertEquals(Set.of("store.kvmdb"), entriesOf(deep));
    }

    @Test
    void shouldMoveAlongWhenTheDirectoryIsRenamed() throws IOException {
        final Path after = directory.resolve("after");
        try (Store store = Store.create(store(), OPTIONS)) {
            Files.move(store.path(), after);
            assertAnswers(after);
        }
        assertEquals(Set.of("store.kvmdb"), entriesOf(after));
    }

    @Test
    void shouldLeaveNoFileOpenWhenStoresAreClosed() throws IOException {
        createClosed();
        long before = 0;
        for (int i = 0; i < 40; i++) {
            try (Store store = Store.open(store(), OPTIONS)) {
                assertAnswers(store.path());
            }
            try (var files = Files.list(Path.of("/proc/self/fd"))) {
                final long open = files.count();
                // By then whatever is loaded only once has been loaded.
                before = i < 10 ? open : before;
                assertTrue(open <= before, "%d files are open, %d were".formatted(open, before));
            }
        }
    }

    @Test
    void shouldLeaveWhatTookItsPlaceWhenTheStoreIsClosed() throws IOException {
        try (Store store = Store.create(store(), OPTIONS)) {
            Files.delete(socketOf(store.path()));
            Files.write(socketOf(store.path()), new byte[] {7});
        }
        assertEquals(1, Files.size(socketOf(store())));
        Files.delete(socketOf(store()));
        try (Store store = Store.open(store(), OPTIONS)) {
            Files.delete(socketOf(store.path()));
        }
        assertFalse(Files.exists(socketOf(store())));
    }
}
