package org.kvmdb.tools.kill;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import org.kvmdb.Volume;
import org.kvmdb.tools.Main;
import org.kvmdb.tools.kill.KillRecord.Phase;

/**
 * {@code kvmdb} commands that change a store, killed while they do: each has changed all or nothing, {@code check} finds
 * nothing wrong, and the same command again ends as if nobody had killed it.
 */
final class CommandSubject implements KillSubject {

    /** What is killed, and how far it came. */
    private enum Command {
        IMPORT_OVER("import", CommandChild.STORE, "v", "new"),
        IMPORT_NEW("import", CommandChild.STORE, "fresh", "new"),
        RECEIVE("receive", CommandChild.STORE, "copy", "stream"),
        GC("gc", CommandChild.STORE, "--dead", "0"),
        DELETE_SNAPSHOTS("snapshot", "delete", CommandChild.STORE, "v@one", "v@two"),
        ROLL_BACK("snapshot", "rollback", CommandChild.STORE, "v@one");

        private final List<String> words;

        Command(String... words) {
            this.words = List.of(words);
        }

        static Command of(KillCycle cycle) {
            return values()[Math.floorMod(cycle.number(), values().length)];
        }
    }

    private enum State {
        BEFORE,
        AFTER
    }

    private static final int BYTES = 3 << 19;
    private static final int PAGE = 4096;

    private final Path directory;
    private final byte[] oldContent;
    private final byte[] content;
    private final byte[] newContent;

    /** @param directory an empty one, for the files that commands read */
    CommandSubject(Path directory, long seed) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.oldContent = content(seed);
        this.content = content(seed + 1);
        this.newContent = content(seed + 2);
        makeTemplate();
    }

    /** Half of the pages compress. */
    private static byte[] content(long seed) {
        byte[] bytes = new byte[BYTES];
        new SplittableRandom(seed).nextBytes(bytes);
        for (int at = 0; at < BYTES; at += 2 * PAGE) {
            Arrays.fill(bytes, at + 64, at + PAGE, (byte) at);
        }
        return bytes;
    }

    /** The store that every command begins with: a volume, two snapshots of what it held, and space to be given back. */
    private void makeTemplate() throws IOException {
        Path template = template();
        Files.write(file("old"), oldContent);
        Files.write(file("content"), content);
        Files.write(file("new"), newContent);
        run("create", template.toString(), "--segment-size", "256K");
        run("import", template.toString(), "v", file("old").toString());
        run("snapshot", "create", template.toString(), "v@one");
        run("import", template.toString(), "v", file("new").toString());
        run("snapshot", "create", template.toString(), "v@two");
        run("import", template.toString(), "garbage", file("new").toString());
        run("import", template.toString(), "v", file("content").toString());
        run("send", template.toString(), "v@one", file("stream").toString());
        run("volume", "delete", template.toString(), "garbage", "--force");
    }

    private Path template() {
        return directory.resolve("template");
    }

    private Path file(String name) {
        return directory.resolve(name);
    }

    private static void run(String... words) {
        StringWriter said = new StringWriter();
        int code = Main.run(new PrintWriter(said), new PrintWriter(said), words);
        KillFailure.check(code == 0, "kvmdb %s ended with %d: %s", String.join(" ", words), code, said);
    }

    private List<String> words(Command command, String store) {
        return command.words.stream()
                .map(word -> Files.isRegularFile(file(word)) ? file(word).toString() : word)
                .map(word -> word.equals(CommandChild.STORE) ? store : word)
                .toList();
    }

    @Override
    public Class<?> child() {
        return CommandChild.class;
    }

    @Override
    public List<String> arguments(KillCycle cycle) {
        return words(Command.of(cycle), CommandChild.STORE);
    }

    @Override
    public long recordBytes() {
        return 0;
    }

    @Override
    public void prepare(KillCycle cycle, Path store, KillRecord record) throws IOException {
        Files.createDirectories(store);
        Path file = store.resolve(StoreCopy.DATA_FILE);
        Files.deleteIfExists(file);
        Files.copy(template().resolve(StoreCopy.DATA_FILE), file);
    }

    @Override
    public void check(KillCycle cycle, Path store, KillRecord record) {
        Command command = Command.of(cycle);
        StoreSubject.checkStructures("after kvmdb %s was killed".formatted(command), store);
        State state = state(command, store);
        boolean returned = record.phase().compareTo(Phase.WORKING) >= 0;
        KillFailure.check(
                state == State.AFTER || !returned, "kvmdb %s had returned, and has changed nothing", command);
        if (state == State.BEFORE || command == Command.GC) {
            run(words(command, store.toString()).toArray(String[]::new));
        }
        KillFailure.check(
                state(command, store) == State.AFTER, "kvmdb %s again has changed nothing", command);
        StoreSubject.checkStructures("after kvmdb %s was killed and run again".formatted(command), store);
    }

    // ---- what is there ----

    private State state(Command command, Path directoryOfStore) {
        StoreOptions options = StoreOptions.defaults().withControlSocket(false).withCountersFile(false);
        try (Store store = Store.open(directoryOfStore, options)) {
            State state = state(command, store);
            boolean isBack = command == Command.ROLL_BACK && state == State.AFTER;
            boolean isOver = command == Command.IMPORT_OVER && state == State.AFTER;
            checkHolds(store, "v", isBack ? oldContent : isOver ? newContent : content);
            if (command != Command.DELETE_SNAPSHOTS || state == State.BEFORE) {
                checkHolds(store, "v@one", oldContent);
                checkHolds(store, "v@two", newContent);
            }
            return state;
        }
    }

    private State state(Command command, Store store) {
        return switch (command) {
            case IMPORT_OVER -> holds(store.volume("v").memory(), newContent) ? State.AFTER : State.BEFORE;
            case IMPORT_NEW -> stateOfImport(store);
            case RECEIVE -> stateOfReceive(store);
            case GC -> State.AFTER;
            case DELETE_SNAPSHOTS -> stateOfDeletion(store);
            case ROLL_BACK -> holds(store.volume("v").memory(), oldContent) ? State.AFTER : State.BEFORE;
        };
    }

    /** A volume is made before it is filled. */
    private State stateOfImport(Store store) {
        Optional<Volume> volume = find(store, "fresh");
        if (volume.isEmpty() || holds(volume.get().memory(), new byte[BYTES])) {
            return State.BEFORE;
        }
        checkHolds(store, "fresh", newContent);
        return State.AFTER;
    }

    private State stateOfReceive(Store store) {
        if (find(store, "copy").isEmpty()) {
            return State.BEFORE;
        }
        checkHolds(store, "copy", oldContent);
        checkHolds(store, "copy@one", oldContent);
        return State.AFTER;
    }

    private static State stateOfDeletion(Store store) {
        int left = store.snapshots().size();
        KillFailure.check(left != 1, "of two snapshots that were to be deleted together one is there");
        return left == 0 ? State.AFTER : State.BEFORE;
    }

    private static Optional<Volume> find(Store store, String name) {
        return store.volumes().stream().filter(volume -> volume.name().equals(name)).findAny();
    }

    private static void checkHolds(Store store, String name, byte[] expected) {
        MemorySegment memory =
                name.contains("@") ? store.snapshotNamed(name).memory() : store.volume(name).memory();
        KillFailure.check(holds(memory, expected), "%s does not hold what it must", name);
    }

    private static boolean holds(MemorySegment memory, byte[] expected) {
        return memory.byteSize() == expected.length && memory.mismatch(MemorySegment.ofArray(expected)) < 0;
    }
}
