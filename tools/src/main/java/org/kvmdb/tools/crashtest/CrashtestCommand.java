package org.kvmdb.tools.crashtest;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan.Scale;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.TextTable;
import org.kvmdb.tools.kill.KillCommand;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "crashtest",
        mixinStandardHelpOptions = true,
        description = {
            "Prove that a store survives crashes, faults and hostile bytes, and say what was tried.",
            "",
            "Runs the campaigns, each of which proves one thing, one after the other, and prints a report. Everything"
                    + " random comes from the seed. Exits with 1 when something is wrong, or when a bug that was planted"
                    + " was not noticed."
        },
        subcommands = {CrashtestRunCommand.class, KillCommand.class},
        footer = {
            "%nExamples:",
            "  kvmdb crashtest --list",
            "  kvmdb crashtest",
            "  kvmdb crashtest --release --report crashtest.html",
            "  kvmdb crashtest --only crash-states --seed 7",
            "  kvmdb crashtest run bank"
        })
public final class CrashtestCommand implements Callable<Integer> {

    private static final long SEED = 20_260_117;

    /** How much: one of them, or neither. */
    static final class Amount {
        @Option(names = "--release", description = "Everything, as before a release: takes hours.")
        private boolean release;

        @Option(names = "--quick", description = "Only that every campaign runs: seconds.")
        private boolean quick;
    }

    @Spec
    private CommandSpec spec;

    @ArgGroup
    private Amount amount = new Amount();

    @Option(names = "--list", description = "Name the campaigns, and run none.")
    private boolean lists;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            split = ",",
            description = "Which campaigns (default: all).")
    private List<String> names = List.of();

    @Option(names = "--seed", paramLabel = "N", description = "Of everything random (default: " + SEED + ").")
    private long seed = SEED;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Cases at a time; which there are does not depend on it (default: one a processor).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--option",
            paramLabel = "KEY=VALUE",
            description = "A setting of the campaign, mostly to repeat one case.")
    private Map<String, String> options = new LinkedHashMap<>();

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Also write the report there: FILE.html, with FILE.txt beside, or FILE.txt alone.")
    private Path reportFile;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where to work (default: the system's temporary directory).")
    private Path parentDirectory;

    @Mixin
    private Output output;

    CrashtestCommand() {}

    @Override
    public Integer call() throws Exception {
        List<Campaign> chosen = chosen();
        CampaignRunner.checkOptions(chosen, options, spec.commandLine());
        if (lists) {
            List<Facts> rows = chosen.stream().map(CrashtestCommand::facts).toList();
            output.print(new Facts().list("campaigns", rows), TextTable.of(rows));
            return 0;
        }
        if (threads < 1) {
            throw new ParameterException(spec.commandLine(), "--threads must be positive");
        }
        ReportFiles files = reportFile == null ? null : ReportFiles.of(reportFile, spec.commandLine());
        Path base = parentDirectory != null ? parentDirectory : Path.of(System.getProperty("java.io.tmpdir"));
        try (QuietStores _ = new QuietStores()) {
            new CampaignRunner(scale(), seed, threads, options, base, output).run(chosen).tell(output, files);
        }
        return 0;
    }

    private Scale scale() {
        if (amount.release) {
            return Scale.RELEASE;
        }
        return amount.quick ? Scale.SMOKE : Scale.VERIFY;
    }

    private List<Campaign> chosen() {
        List<Campaign> all = CampaignRunner.campaigns();
        List<String> known = all.stream().map(Campaign::name).toList();
        for (String name : names) {
            if (!known.contains(name)) {
                throw new ParameterException(
                        spec.commandLine(), "no campaign '" + name + "'; there are " + String.join(", ", known));
            }
        }
        return all.stream()
                .filter(campaign -> names.isEmpty() || names.contains(campaign.name()))
                .toList();
    }

    private static Facts facts(Campaign campaign) {
        return new Facts().text("campaign", "name", campaign.name()).text("what", "what", campaign.description());
    }
}
