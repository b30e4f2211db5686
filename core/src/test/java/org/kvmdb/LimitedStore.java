package org.kvmdb;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.kvmdb.ffi.Errno;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * What {@link LimitsCampaign} limits from outside: a process that works on a store as it is told, line by line, and
 * answers each with one line. It remembers which commits were acknowledged, and looks whether exactly they are there.
 *
 * <p>Commands: {@code cycle}: create or open, use, commit, close; {@code starve KIB}: the same with so much heap left;
 * {@code check}: everything acknowledged is there and nothing is left behind; {@code new}: the next store;
 * {@code space}: address space in use; {@code descriptors}: the lowest that is free; {@code fill ROUNDS}: {@link DiskFullRounds};
 * {@code leak CYCLES}: {@link LeakRounds}. Answers that begin with WRONG are findings.
 */
final class LimitedStore {

    static final String WRONG = "WRONG";

    private static final int PAGES = 96;
    private static final int PAGES_PER_COMMIT = 8;
    static final int COMMITS_PER_CYCLE = 3;
    private static final int ID = 1;
    private static final int BALLAST_BYTES = 1 << 10;

    private final Path root;
    /** The last commit that was acknowledged, for who survives this process. */
    private final MappedByteBuffer note;
    private int number;
    private long acknowledged;
    private long issued;
    private ProcessState before;
    private Object[] ballast;

    private LimitedStore(Path root) throws IOException {
        this.root = root;
        try (FileChannel file = FileChannel.open(
                noteOf(root), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            note = file.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES);
        }
    }

    /** Where the last commit that was acknowledged is noted, as it was when the process ended. */
    static Path noteOf(Path root) {
        return root.resolve("acknowledged");
    }

    private void acknowledge(long version) {
        acknowledged = version;
        note.putLong(0, version);
    }

    /**
     * Arguments: a directory; to go on with the store of a process that died: its number, the last commit that was acknowledged and
     * the last that may be there.
     */
    public static void main(String[] arguments) throws IOException {
        System.setProperty("java.util.logging.config.file", "/dev/null");
        final LimitedStore store = new LimitedStore(Path.of(arguments[0]));
        final BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        store.warmUp();
        if (arguments.length > 1) {
            store.number = Integer.parseInt(arguments[1]);
            store.acknowledge(Long.parseLong(arguments[2]));
            store.issued = Long.parseLong(arguments[3]);
        }
        int count = 0;
        System.out.println("ready");
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            final String answer = store.answer(line.split(" "));
            System.out.println("=" + ++count + " " + answer.replaceAll("\\s*\\R\\s*", " | "));
        }
    }

    private String answer(String[] command) {
        try {
            return switch (command[0]) {
                case "cycle" -> tried();
                case "starve" -> starved(Integer.parseInt(command[1]));
                case "check" -> check();
                case "new" -> nextStore();
                case "space" -> Long.toString(ProcessState.addressSpaceBytes());
                case "descriptors" -> Integer.toString(lowestFree());
                case "fill" -> DiskFullRounds.run(root.resolve("full"), Integer.parseInt(command[1]));
                case "leak" -> LeakRounds.run(root.resolve("leaks"), Integer.parseInt(command[1]));
                default -> WRONG + " no such command: " + command[0];
            };
        } catch (Throwable e) {
            return WRONG + " " + trace(e);
        }
    }

    /** All classes are loaded and all paths were gone once, so that a limit hits the store and not the loading of classes. */
    private void warmUp() throws IOException {
        for (int i = 0; i < 3; i++) {
            final String outcome = tried();
            final String checked = check();
            if (!outcome.startsWith("works") || checked.startsWith(WRONG)) {
                throw new IOException("without a limit: " + outcome + "; " + checked);
            }
        }
        for (ErrorCode code : ErrorCode.values()) {
            outcome(ExceptionMapper.map(new StorageException(code, Errno.exception(-Errno.EMFILE, "warm up").getMessage())));
        }
        starved(1 << 10);
        check();
        nextStore();
        before = ProcessState.now();
    }

    private Path directory() {
        return root.resolve(number == 0 ? "warm-up-" + ProcessHandle.current().pid() : "s" + number);
    }

    private String nextStore() throws IOException {
        if (Files.exists(directory())) {
            TestStores.deleteTree(directory());
        }
        number++;
        acknowledge(0);
        issued = 0;
        return Integer.toString(number);
    }

    /** The lowest descriptor that is free: with a limit of so many none can be opened. */
    private static int lowestFree() throws IOException {
        final Set<String> open = new HashSet<>();
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            links.map(link -> link.getFileName().toString()).forEach(open::add);
        }
        int free = 0;
        while (open.contains(Integer.toString(free))) {
            free++;
        }
        return free;
    }

    // ---- under a limit ----

    private String tried() {
        try {
            cycle();
            return "works";
        } catch (Throwable e) {
            return outcome(e);
        }
    }

    private String starved(int kib) {
        final Object[] kept = new Object[1 << 16];
        int count = 0;
        try {
            while (count < kept.length) {
                kept[count] = new byte[BALLAST_BYTES];
                count++;
            }
        } catch (OutOfMemoryError e) {
            for (int i = 0; i < kib && count > 0; i++) {
                kept[--count] = null;
            }
        }
        ballast = kept;
        try {
            cycle();
            ballast = null;
            return "works";
        } catch (Throwable e) {
            ballast = null;
            return outcome(e);
        }
    }

    /** An answer to what a cycle ended with: refused with a reason, or wrong. */
    static String outcome(Throwable e) {
        if (e instanceof StoreException && e.getMessage() != null && !e.getMessage().isBlank()) {
            return "refused " + e.getClass().getSimpleName() + ": " + e.getMessage();
        }
        if (isWantOfMemory(e)) {
            return "refused " + e;
        }
        // The error of a page that could not be had or written: the scope's exception says why.
        for (Throwable reason : e.getSuppressed()) {
            if (reason instanceof StoreException) {
                return "refused " + e.getClass().getSimpleName() + " because " + reason.getMessage();
            }
        }
        return WRONG + " " + trace(e);
    }

    private static boolean isWantOfMemory(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError) {
                return true;
            }
        }
        return false;
    }

    private static String trace(Throwable e) {
        final StringBuilder text = new StringBuilder(e.toString());
        Arrays.stream(e.getStackTrace()).limit(12).forEach(frame -> text.append(" < ").append(frame));
        return e.getCause() == null ? text.toString() : text + " caused by " + trace(e.getCause());
    }

    private static StoreOptions options() {
        return TestStores.small();
    }

    private void cycle() {
        final Path directory = directory();
        final boolean exists = Files.exists(TestStores.dataFile(directory));
        if (!exists && acknowledged > 0) {
            throw new AssertionError("the store is gone");
        }
        try (Store store = exists ? Store.open(directory, options()) : Store.create(directory, options())) {
            final Volume volume = store.volumes().isEmpty()
                    ? store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * TestStores.PAGE))
                    : store.volume("v");
            settle(volume);
            for (int i = 0; i < COMMITS_PER_CYCLE; i++) {
                commitNext(store, volume);
            }
            snapshotAndLook(store, volume);
            store.checkpoint();
        }
    }

    /** Whether a commit that failed is there shows now. */
    private void settle(Volume volume) {
        try (Scope _ = volume.readScope()) {
            final long found = PageContent.version(TestStores.page(volume, 0), ID, 0);
            if (found < acknowledged || found > issued) {
                throw new AssertionError("commit %d is there, acknowledged=%d issued=%d".formatted(found, acknowledged, issued));
            }
            acknowledge(found);
            issued = found;
        }
    }

    private void commitNext(Store store, Volume volume) {
        final long version = acknowledged + 1;
        try (Scope _ = volume.writeScope()) {
            PageContent.write(TestStores.page(volume, 0), ID, 0, version);
            for (int i = 0; i < PAGES_PER_COMMIT; i++) {
                final int lpn = pageOf(version, i);
                PageContent.write(TestStores.page(volume, lpn), ID, lpn, version);
            }
        }
        issued = version;
        store.commit();
        acknowledge(version);
    }

    private static int pageOf(long version, int index) {
        return 1 + (int) ((version * 7 + index * 13L) % (PAGES - 1));
    }

    private void snapshotAndLook(Store store, Volume volume) {
        final Snapshot snapshot = volume.snapshot("s" + acknowledged);
        try (Scope _ = snapshot.readScope()) {
            PageContent.check(TestStores.page(snapshot.memory(), 0, TestStores.PAGE), ID, 0, acknowledged);
        }
        snapshot.release();
        snapshot.delete();
        final MemorySegment copy = MemorySegment.ofArray(new byte[TestStores.PAGE]);
        volume.read((PAGES - 1L) * TestStores.PAGE, copy);
    }

    // ---- without one ----

    private String check() throws IOException {
        if (!Files.exists(TestStores.dataFile(directory()))) {
            return acknowledged == 0 ? "nothing" : WRONG + " the store is gone";
        }
        try (Store store = Store.open(directory(), options())) {
            if (store.volumes().isEmpty() && acknowledged == 0) {
                return leftBehind(store);
            }
            final Volume volume = store.volume("v");
            settle(volume);
            final long[] versions = new long[PAGES];
            for (long version = 1; version <= acknowledged; version++) {
                versions[0] = version;
                for (int i = 0; i < PAGES_PER_COMMIT; i++) {
                    versions[pageOf(version, i)] = version;
                }
            }
            for (int lpn = 0; lpn < PAGES; lpn++) {
                PageContent.check(TestStores.page(volume, lpn), ID, lpn, versions[lpn]);
            }
            store.snapshots().forEach(Snapshot::delete);
            return leftBehind(store);
        }
    }

    private String leftBehind(Store store) throws IOException {
        store.close();
        final String leaked = before == null ? "" : ProcessState.now().leakedSince(before, 64, 64L << 20);
        return leaked.isEmpty() ? "good " + acknowledged : WRONG + " left behind: " + leaked;
    }
}
