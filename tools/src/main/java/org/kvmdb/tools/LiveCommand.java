package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.kvmdb.control.Reply;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** A command that is one operation on a store, also on one that another process has open. */
abstract class LiveCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "STORE", description = "Directory of the store.")
    private Path directory;

    @Mixin
    private OpenOptions openOptions;

    @Mixin
    private Output output;

    @Override
    public final Integer call() {
        validate();
        List<String> arguments = arguments();
        Reply reply;
        try (OperationProgress progress = new OperationProgress(operation())) {
            reply = LiveStore.ask(directory, openOptions, operation(), arguments, progress);
        }
        print(reply, output);
        return 0;
    }

    final Path directory() {
        return directory;
    }

    /** Throws for wrong usage, before anything is opened. */
    void validate() {}

    /** As in the table of operations. */
    abstract String operation();

    List<String> arguments() {
        return List.of();
    }

    abstract void print(Reply reply, Output output);
}
