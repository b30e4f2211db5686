package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kvmdb.telemetry.CountersFile;

/**
 * What a host may put under a store or do to it while it is open: each is refused, or survived, with a sentence that says
 * what, where and what to do.
 */
@Timeout(120)
class HostInputTest {

    private static final long VOLUME_BYTES = 2 << 20;
    private static final int CLOSE_ON_EXEC = 02000000;

    @TempDir
    Path directory;

    private Path home;
    private Path file;

    @BeforeEach
    void nameTheStore() {
        home = directory.resolve("s");
        file = TestStores.dataFile(home);
    }

    private Store create() {
        return Store.create(home, TestStores.small());
    }

    private Store open() {
        return Store.open(home, TestStores.small());
    }

    private static Volume makeVolume(Store store) {
        final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(VOLUME_BYTES));
        TestStores.writePages(volume, 1, 0, 100, 1);
        store.commit();
        return volume;
    }

    private void makeStore() {
        try (Store store = create()) {
            makeVolume(store);
        }
    }

    private void assertRefusesToOpen(String message) {
        final StoreException e = assertThrows(StoreException.class, this::open);
        assertEquals(message, e.getMessage());
    }

    // ---- what lies at the path ----

    @Test
    void shouldSayThatThereIsNoStore() {
        assertRefusesToOpen("no store at %s: %s does not exist; create it".formatted(home, file));
    }

    @Test
    void shouldSayThatThePathIsAFile() throws IOException {
        Files.write(home, new byte[10]);
        final String message = "%s is not a directory: name one for the store".formatted(home);
        assertRefusesToOpen(message);
        assertEquals(
                message,
                assertThrows(NotAStoreException.class, this::create).getMessage());
    }

    @Test
    void shouldDoWithoutACountersFileThatCannotBeMade() throws IOException {
        makeStore();
        final Path counters = home.resolve(CountersFile.NAME);
        Files.delete(counters);
        Files.createDirectories(counters.resolve("in-the-way"));
        final List<String> said = Warnings.during(Telemetry.class, () -> open().close());
        assertEquals(
                List.of("no counters file, kvmdb stats and top will not see the store %s: %s is a directory, and not empty"
                        .formatted(home, counters)),
                said);
    }

    @Test
    void shouldNotFollowALink() throws IOException {
        makeStore();
        Files.move(file, directory.resolve("elsewhere"));
        Files.createSymbolicLink(file, directory.resolve("elsewhere"));
        final String message =
                "open %s failed: is a symbolic link (ELOOP); put the file itself there, links are not followed"
                        .formatted(file);
        assertRefusesToOpen(message);
        Files.delete(directory.resolve("elsewhere"));
        assertRefusesToOpen(message);
        assertEquals(
                "there is a store already: %s; open it".formatted(file),
                assertThrows(StoreExistsException.class, this::create).getMessage());
        assertTrue(Files.isSymbolicLink(file));
        assertFalse(Files.exists(directory.resolve("elsewhere")));
    }

    @Test
    void shouldRefuseWhatIsNoFile() throws Exception {
        Files.createDirectory(home);
        Files.createDirectory(file);
        assertRefusesToOpen("open %s failed: is a directory (EISDIR); put a file there".formatted(file));
        Files.delete(file);
        final String message =
                "open %s failed: is neither a file nor a block device (ENODEV); put a file there".formatted(file);
        assertEquals(0, new ProcessBuilder("mkfifo", file.toString()).start().waitFor());
        assertRefusesToOpen(message);
        Files.delete(file);
        // Only root may make one, and not in every container.
        if (new ProcessBuilder("mknod", file.toString(), "c", "1", "5").start().waitFor() == 0) {
            assertRefusesToOpen(message);
        }
    }

    @Test
    void shouldSayThatItMayNotRead() throws IOException {
        makeStore();
        final Set<Path> unreadable = Set.of(file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        assumeTrue(unreadable.stream().noneMatch(Files::isReadable), "root may read everything");
        assertRefusesToOpen(
                "open %s failed: permission denied (EACCES); run as the user that owns it, or give this one the right"
                        .formatted(file));
    }

    @Test
    void shouldSayThatTheFileSystemIsReadOnly() throws Exception {
        makeStore();
        final List<String> mounting = List.of(
                "unshare", "-rm", "sh", "-c",
                "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"", home.toString());
        assumeTrue(
                new ProcessBuilder(Stream.concat(mounting.stream(), Stream.of("true")).toList()).start().waitFor() == 0,
                "this user may not mount in a namespace of its own");
        try (ChildJvm child = ChildJvm.start(
                directory, mounting, List.of("-Xmx64m"), StoreTest.OpenElsewhere.class, home)) {
            final String said = child.awaitSuccess(60);
            assertTrue(
                    said.contains("open %s failed: read-only file system (EROFS); mount it for writing".formatted(file)),
                    said);
        }
    }

    @Test
    void shouldBeOpenOnceThroughABindMount() throws Exception {
        final Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        final List<String> mounting = List.of(
                "unshare", "-rm", "sh", "-c", "mount --bind \"$0\" \"$1\" && shift && exec \"$@\"",
                home.toString(), elsewhere.toString());
        try (Store store = create()) {
            assumeTrue(
                    new ProcessBuilder(Stream.concat(mounting.stream(), Stream.of("true")).toList()).start().waitFor() == 0,
                    "this user may not mount in a namespace of its own");
            try (ChildJvm child = ChildJvm.start(
                    directory, mounting, List.of("-Xmx64m"), StoreTest.OpenElsewhere.class, elsewhere)) {
                final String said = child.awaitSuccess(60);
                assertTrue(
                        said.contains("store in use: %s is open elsewhere; close it there"
                                .formatted(TestStores.dataFile(elsewhere))),
                        said);
            }
            makeVolume(store);
        }
    }

    @Test
    void shouldSayThatItIsOpenAlready() {
        try (Store store = create()) {
            assertRefusesToOpen("store in use: %s is open elsewhere; close it there".formatted(file));
            makeVolume(store);
        }
    }

    // ---- what a store makes ----

    @Test
    void shouldKeepItsFilesToItselfAndItsDescriptorsFromChildren() throws IOException {
        final Set<String> before = descriptors();
        try (Store store = create()) {
            makeVolume(store);
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            final Set<String> ours = descriptors();
            ours.removeAll(before);
            int looked = 0;
            for (String descriptor : ours) {
                final Path entry = Path.of("/proc/self/fd", descriptor);
                // Of the store: its files, what they are spilled to, userfaultfd and io_uring. Sockets are the JDK's, whose
                // own way to start processes closes them.
                if (Files.exists(entry, LinkOption.NOFOLLOW_LINKS)) {
                    final String target = Files.readSymbolicLink(entry).toString();
                    if (target.startsWith(home.toString()) || target.contains("userfaultfd") || target.contains("io_uring")) {
                        looked++;
                        assertTrue((flags(descriptor) & CLOSE_ON_EXEC) != 0, () -> "inherited by children: " + target);
                    }
                }
            }
            assertTrue(looked >= 5, () -> "descriptors of a store: " + ours);
        }
    }

    private static Set<String> descriptors() throws IOException {
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            final Set<String> found = new HashSet<>();
            links.forEach(link -> found.add(link.getFileName().toString()));
            return found;
        }
    }

    private static int flags(String descriptor) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo", descriptor))) {
            if (line.startsWith("flags:")) {
                return Integer.parseInt(line.substring("flags:".length()).strip(), 8);
            }
        }
        throw new IOException("no flags");
    }

    @Test
    void shouldWarnWhenEveryUserMayReplaceItsFiles() throws IOException {
        Files.createDirectory(home);
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxrwxrwx"));
        final List<String> said = Warnings.during(StoreDirectory.class, () -> create().close());
        assertEquals(
                List.of("every user may replace the files of the store %s: take that right away (chmod o-w)".formatted(home)),
                said);
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertEquals(List.of(), Warnings.during(StoreDirectory.class, () -> open().close()));
    }

    // ---- what happens to it while it is open ----

    @Test
    void shouldFailWhenAnotherProcessCutsTheFile() throws Exception {
        try (Store store = create()) {
            final Volume volume = makeVolume(store);
            store.checkpoint();
            volume.resize(VOLUME_BYTES * 2);
            final long length = Files.size(file);
            cutFile(1 << 20);
            // What is in memory stays; what has to be read is gone, and nothing wrong comes in its place.
            final byte[] page = new byte[TestStores.PAGE];
            assertThrows(StoreException.class, () -> readAllCold(store, page));
            final StoreFailedException e = assertThrows(StoreFailedException.class, () -> {
                for (int version = 2; ; version++) {
                    cutFile(1 << 20); // again, for the store may have grown over it before it looked
                    TestStores.writePages(volume, 1, 0, 1, version);
                    store.commit();
                    Thread.sleep(5);
                }
            });
            final String said = e.getMessage();
            assertCutOff(said, 1 << 20, length);
            for (int version = 1000; version < 1010; version++) {
                TestStores.writePages(volume, 1, 0, 1, version);
                assertThrows(StoreFailedException.class, store::commit);
            }
        }
        assertThrows(StoreException.class, this::open);
    }

    private void cutFile(long lengthBytes) throws IOException {
        try (FileChannel other = FileChannel.open(file, StandardOpenOption.WRITE)) {
            other.truncate(lengthBytes);
        }
    }

    private static void commitForEver(Store store, Volume volume) throws InterruptedException {
        for (int version = 2; ; version++) {
            TestStores.writePages(volume, 1, 0, 1, version);
            store.commit();
            Thread.sleep(5);
        }
    }

    /** What it grew by since it was last looked at, too. */
    @Test
    void shouldFailWhenAnotherProcessCutsWhatTheFileHasJustGrownBy() throws Exception {
        try (Store store = create()) {
            final Volume volume = makeVolume(store);
            final long before = Files.size(file);
            TestStores.writePages(volume, 1, 0, 500, 2);
            store.commit();
            assertTrue(Files.size(file) > before, "it has not grown");
            final StoreFailedException e = assertThrows(StoreFailedException.class, () -> {
                while (true) {
                    cutFile(before); // again, for the store may write behind it
                    store.sync();
                    Thread.sleep(5);
                }
            });
            assertCutOff(e.getMessage(), before, before + 1);
        }
    }

    /** The store may have written something behind the cut by then. */
    private void assertCutOff(String said, long cutBytes, long lengthBytes) {
        final Matcher told = Pattern.compile(
                        "store failed: (.+) was cut off at (\\d+) bytes by another process, of at least (\\d+); restore.*")
                .matcher(said);
        assertTrue(told.matches(), said);
        assertEquals(file.toString(), told.group(1));
        assertTrue(Long.parseLong(told.group(2)) >= cutBytes, said);
        assertTrue(Long.parseLong(told.group(3)) >= lengthBytes, said);
    }

    private static void readAllCold(Store store, byte[] page) {
        final Snapshot snapshot = store.volume("v").snapshot("cold");
        try (Scope _ = snapshot.readScope()) {
            for (int lpn = 0; lpn < 100; lpn++) {
                snapshot.load((long) lpn * page.length, page.length);
            }
        }
    }

    @Test
    void shouldSurviveThatAnotherProcessCutsItsCountersFile() throws IOException {
        try (Store store = create()) {
            final Volume volume = makeVolume(store);
            try (FileChannel other = FileChannel.open(home.resolve(CountersFile.NAME), StandardOpenOption.WRITE)) {
                other.truncate(0);
            }
            TestStores.writePages(volume, 1, 0, 100, 2);
            store.commit();
        }
        try (Store store = open()) {
            TestStores.checkPages(store.volume("v"), 1, 0, 100, 2);
        }
    }

    @Test
    void shouldSayThatItsFileWasDeleted() throws Exception {
        final Store store = create();
        final Volume volume = makeVolume(store);
        Files.delete(file);
        final StoreFailedException e = assertThrows(StoreFailedException.class, () -> commitForEver(store, volume));
        final String begin = "store failed: %s was deleted while it was open; until this process ends it can be copied from"
                .formatted(file);
        assertTrue(e.getMessage().startsWith(begin + " /proc/"), e.getMessage());
        assertMaintenanceRests();
        store.close();
        assertRefusesToOpen("no store at %s: %s does not exist; create it".formatted(home, file));
    }

    /** It finds the same failure again and again: that must not take a processor. */
    private static void assertMaintenanceRests() throws InterruptedException {
        final List<Thread> maintenance = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("kvmdb-maintenance"))
                .toList();
        assertEquals(1, maintenance.size());
        final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        final long before = threads.getThreadCpuTime(maintenance.getFirst().threadId());
        Thread.sleep(500);
        final long after = threads.getThreadCpuTime(maintenance.getFirst().threadId());
        assertTrue(before >= 0 && after >= 0, "it has ended");
        final long usedMillis = (after - before) / 1_000_000;
        assertTrue(usedMillis < 100, usedMillis + " ms of 500");
    }

    @Test
    void shouldNotCareThatItsDirectoryIsRenamed() throws IOException {
        final Path moved = directory.resolve("moved");
        try (Store store = create()) {
            final Volume volume = makeVolume(store);
            Files.move(home, moved);
            try (Store other = create()) {
                assertEquals(List.of(), other.volumes());
                TestStores.writePages(volume, 1, 0, 100, 2);
                store.commit();
            }
        }
        try (Store store = Store.open(moved, TestStores.small())) {
            TestStores.checkPages(store.volume("v"), 1, 0, 100, 2);
        }
        try (Store store = open()) {
            assertEquals(List.of(), store.volumes());
        }
    }

    /** As through a file system whose locks hold on one machine only. */
    @Test
    void shouldWriteNothingOverWhatAnotherProcessHasMadeOfIt() throws IOException {
        final Path copy = directory.resolve("copy");
        try (Store store = create()) {
            final Volume volume = makeVolume(store);
            store.checkpoint();
            TestStores.killedCopy(home, copy);
            try (Store other = Store.open(copy, TestStores.small())) {
                TestStores.writePages(other.volume("v"), 1, 0, 10, 2);
                other.commit();
                other.checkpoint();
            }
            overwrite(Files.readAllBytes(TestStores.dataFile(copy)));
            TestStores.writePages(volume, 1, 0, 10, 3);
            store.commit();
            final StoreFailedException e = assertThrows(StoreFailedException.class, store::checkpoint);
            assertTrue(
                    e.getMessage().startsWith("store failed: another process has written %s: superblock generation ".formatted(file)),
                    e.getMessage());
            assertArrayEquals(superblocks(TestStores.dataFile(copy)), superblocks(file));
        }
    }

    private void overwrite(byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(content), 0);
        }
    }

    private static byte[] superblocks(Path dataFile) throws IOException {
        try (FileChannel channel = FileChannel.open(dataFile, StandardOpenOption.READ)) {
            final ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
            channel.read(bytes, 0);
            return bytes.array();
        }
    }
}
