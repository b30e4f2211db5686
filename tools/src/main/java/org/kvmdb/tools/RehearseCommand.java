package org.kvmdb.tools;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.kvmdb.Store;
import org.kvmdb.StoreException;
import org.kvmdb.StoreOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Runs the short commands once on a small store, so that the archive of the virtual machine that records it holds what they load. What
 * fails is left out of it, and is no failure: where nothing can be mapped, the help still starts faster.
 */
@Command(name = "rehearse", hidden = true, description = "What tools/kvmdb makes its archive of classes with.")
final class RehearseCommand implements Callable<Integer> {

    private static final List<String> ALONE = List.of(
            "--help",
            "nonsense",
            "create %/store",
            "volume create %/store v --size 1M",
            "import %/store v %/data",
            "snapshot create %/store v@a",
            "snapshot list %/store",
            "clone %/store v@a w",
            "info %/store",
            "info %/store --json",
            "stats %/store",
            "stats %/store --json",
            "volume list %/store",
            "diff %/store v@a v",
            "send %/store v@a %/stream",
            "create %/copy",
            "receive %/copy v %/stream",
            "export %/copy v %/exported",
            "space %/store",
            "check %/store",
            "checkpoint %/store",
            "gc %/store");

    /** Through the process that has the store open, which this one plays, too. */
    private static final List<String> IN_USE = List.of(
            "info %/store", "snapshot list %/store", "snapshot create %/store v@b", "stats %/store", "create %/store");

    private static final int DATA_BYTES = 100_000;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", description = "Where a directory may be made that is deleted again.")
    private Path parent;

    @Override
    public Integer call() throws IOException {
        try (TemporaryDirectory directory = TemporaryDirectory.create(parent, "rehearsal-")) {
            Files.write(directory.path().resolve("data"), new byte[DATA_BYTES]);
            runAll(ALONE, directory.path());
            try (Store _ = Store.open(directory.path().resolve("store"), StoreOptions.defaults())) {
                runAll(IN_USE, directory.path());
            } catch (StoreException _) {
                // What keeps a store from being opened here kept all others from it, too.
            }
        }
        return 0;
    }

    private void runAll(List<String> lines, Path directory) {
        for (String line : lines) {
            PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
            int exitCode = Main.run(nowhere, nowhere, line.replace("%", directory.toString()).split(" "));
            spec.commandLine().getOut().println(exitCode + " " + line);
        }
    }
}
