package org.kvmdb.tools.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.kvmdb.Store;
import org.kvmdb.StoreOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The process that opens what the recovery benchmark's writer left behind. */
@Command(name = "bench-open", hidden = true, description = "Opens a store and prints how many nanoseconds it took.")
public final class BenchOpenCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "STORE")
    private Path directory;

    BenchOpenCommand() {}

    @Override
    public Integer call() {
        long startNanos = System.nanoTime();
        try (Store _ = Store.open(directory, StoreOptions.defaults())) {
            long nanos = System.nanoTime() - startNanos;
            PrintWriter out = spec.commandLine().getOut();
            out.println(nanos);
            out.flush();
        }
        return 0;
    }
}
