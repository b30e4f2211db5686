package org.kvmdb.tools;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.kvmdb.Store;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        description = {"Show a store and its volumes.", "Opens the store, so it recovers one that was not closed."},
        footer = {"%nExamples:", "  kvmdb info /data/store", "  kvmdb info /data/store --json"})
final class InfoCommand implements Callable<Integer> {

    @Parameters(paramLabel = "STORE", description = "Directory of the store.")
    private Path directory;

    @Mixin
    private OpenOptions openOptions;

    @Mixin
    private Output output;

    @Override
    public Integer call() {
        try (Store store = openOptions.open(directory)) {
            Facts facts = StoreFacts.of(store);
            List<Facts> volumes = StoreFacts.ofVolumes(store);
            String list = volumes.isEmpty() ? "  no volumes" + System.lineSeparator() : TextTable.of(volumes);
            String text = facts.asText() + System.lineSeparator() + list;
            output.print(facts.list("volumes", volumes), text);
        }
        return 0;
    }
}
