package org.kvmdb.tools;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.kvmdb.telemetry.CountersSnapshot;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "stats",
        mixinStandardHelpOptions = true,
        description = {
            "Show what a store has counted since it was opened: faults, commits, cleaning, and how long they took.",
            "Reads the counters file in the store's directory, which the process that has the store open writes some",
            "times a second. So it works on a live store without disturbing it, and on one whose process died."
        },
        footer = {
            "%nExamples:",
            "  kvmdb stats /data/store",
            "  kvmdb stats /data/store --json",
            "  kvmdb stats /data/store --prometheus > /var/lib/node_exporter/kvmdb.prom"
        })
final class StatsCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "STORE", description = "Directory of the store.")
    private Path directory;

    /** One or the other. */
    @ArgGroup
    private final Format format = new Format();

    private static final class Format {
        @Option(names = "--json", description = "Print one JSON object instead of text.")
        private boolean json;

        @Option(names = "--prometheus", description = "Print the text format that Prometheus collects.")
        private boolean prometheus;
    }

    @Override
    public Integer call() throws IOException {
        CountersSnapshot snapshot = StoreCounters.read(directory);
        PrintWriter out = spec.commandLine().getOut();
        if (format.prometheus) {
            out.print(PrometheusText.of(directory, snapshot));
        } else if (format.json) {
            out.println(Output.asJson(StoreCounters.facts(directory, snapshot)));
        } else {
            out.print(StoreCounters.text(directory, snapshot));
        }
        Output.flush(out);
        return 0;
    }
}
