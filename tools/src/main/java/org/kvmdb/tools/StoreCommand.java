package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.kvmdb.Store;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** A command that opens a store, works on it, and closes it. */
abstract class StoreCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "STORE", description = "Directory of the store.")
    private Path directory;

    @Mixin
    private OpenOptions openOptions;

    @Mixin
    private Output output;

    @Override
    public final Integer call() throws Exception {
        validate(output);
        try (Store store = openOptions.open(directory)) {
            run(store, output);
        }
        return 0;
    }

    /** Throws for wrong usage, before the store is opened. */
    void validate(Output output) {}

    abstract void run(Store store, Output output) throws Exception;
}
