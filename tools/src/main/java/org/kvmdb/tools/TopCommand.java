package org.kvmdb.tools;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.kvmdb.telemetry.CountersSnapshot;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        description = {
            "Watch a store that a process has open: faults, latencies, cache, log, cleaner, space, anew each second.",
            "Rates and latencies are of the last interval. Pages that are in memory cost nothing and are seen by nobody,",
            "so hits are not counted. Ends when the store is closed, or with Ctrl-C."
        },
        footer = {
            "%nExamples:",
            "  kvmdb top /data/store",
            "  kvmdb top /data/store --interval 5 --count 12 > minute.txt"
        })
final class TopCommand implements Callable<Integer> {

    private static final String CLEAR = "\u001b[H\u001b[2J";
    private static final int STANDARD_OUTPUT = 1;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "STORE", description = "Directory of the store.")
    private Path directory;

    @Option(names = "--interval", paramLabel = "SECONDS", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}.")
    private double intervalSeconds;

    @Option(names = "--count", paramLabel = "N", description = "End after so many intervals (default: never).")
    private Long count;

    @Override
    public Integer call() throws Exception {
        if (!(intervalSeconds >= 0.25 && intervalSeconds <= 3600) || count != null && count < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--interval is from 0.25 to 3600 seconds, --count at least 1");
        }
        Interruption.beQuiet();
        PrintWriter out = spec.commandLine().getOut();
        boolean isTerminal = Progress.isTerminal(STANDARD_OUTPUT);
        CountersSnapshot before = StoreCounters.read(directory);
        for (long n = 0; before.isRunning() && (count == null || n < count); n++) {
            TimeUnit.MILLISECONDS.sleep((long) (intervalSeconds * 1000));
            CountersSnapshot now = StoreCounters.read(directory);
            if (now.process() != before.process() || !now.started().equals(before.started())) {
                before = now; // opened anew meanwhile: there is no difference to show
                continue;
            }
            out.print(isTerminal ? CLEAR : "");
            out.print(new TopFrame(directory, before, now).text());
            out.print(isTerminal ? "" : System.lineSeparator());
            Output.flush(out);
            before = now;
        }
        if (!before.isRunning()) {
            out.println("store " + directory + ": " + StoreCounters.state(before));
            Output.flush(out);
        }
        return 0;
    }
}
