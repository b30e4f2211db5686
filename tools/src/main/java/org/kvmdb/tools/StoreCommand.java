package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.kvmdb.Store;
import org.kvmdb.StoreInUseException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A command that opens a store, works on it, and closes it. */
abstract class StoreCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "STORE", description = "Directory of the store.")
    private Path directory;

    @Mixin
    private OpenOptions openOptions;

    @Mixin
    private Output output;

    @Override
    public final Integer call() throws Exception {
        validate(output);
        try (Store store = open()) {
            run(store, output);
        }
        return 0;
    }

    private Store open() {
        try {
            return openOptions.open(directory);
        } catch (StoreInUseException e) {
            throw new CommandFailedException(
                    "the store %s is open in another process, and %s works only when it is not: close it there first"
                            .formatted(directory, spec.name()),
                    e);
        }
    }

    /** Throws for wrong usage, before the store is opened. */
    void validate(Output output) {}

    abstract void run(Store store, Output output) throws Exception;
}
