package org.kvmdb.tools.kill;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.Durations;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.Progress;
import org.kvmdb.tools.TemporaryDirectory;
import org.kvmdb.tools.Wording;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "kill",
        mixinStandardHelpOptions = true,
        description = {
            "Kill processes that work on stores, over and over, and check what is left.",
            "",
            "Each cycle starts a process that recovers a store and changes it with several threads through page faults, and"
                    + " sends it SIGKILL: at a random time, at a chosen system call, during recovery or close. Then the"
                    + " store must hold exactly what was acknowledged, or that and what was under way."
        },
        footer = {
            "%nExamples:",
            "  kvmdb crashtest kill",
            "  kvmdb crashtest kill --cycles 10000 --seed 7",
            "  kvmdb crashtest kill --minutes 60 --keep /data/found"
        })
public final class KillCommand implements Callable<Integer> {

    /** How long: one of them, or neither. */
    static final class Amount {
        @Option(names = "--cycles", paramLabel = "N", description = "How many kills (default: 1000).")
        private Integer cycles;

        @Option(names = "--minutes", paramLabel = "N", description = "For how long.")
        private Integer minutes;
    }

    @Spec
    private CommandSpec spec;

    @ArgGroup
    private Amount amount = new Amount();

    @Option(names = "--seed", paramLabel = "N", description = "Repeats what is done to which store (default: random).")
    private Long seed;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Processes at a time, less one (default: one a processor).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where to work (default: the system's temporary directory).")
    private Path parentDirectory;

    @Option(
            names = "--keep",
            paramLabel = "DIR",
            description = "Where to keep stores that are found wrong (default: where it works).")
    private Path keepDirectory;

    @Mixin
    private Output output;

    KillCommand() {}

    @Override
    public Integer call() throws Exception {
        validate();
        long chosenSeed = seed != null ? seed : System.nanoTime() & 0xFFFFFF;
        Path base = parentDirectory != null ? parentDirectory : Path.of(System.getProperty("java.io.tmpdir"));
        CampaignReport report;
        try (TemporaryDirectory directory = TemporaryDirectory.create(base, "kvmdb-kill-");
                Progress progress = new Progress("kill", 0, "cycles")) {
            report = new KillCampaign().run(new CampaignPlan(
                    CampaignPlan.Scale.VERIFY, chosenSeed, threads, directory.path(), options(), (done, expected) -> {
                        synchronized (progress) {
                            progress.total(expected);
                            progress.reach(done);
                        }
                    }));
        }
        output.print(facts(report));
        if (!report.isClean()) {
            Finding first = report.findings().getFirst();
            throw new CommandFailedException(
                    "%s, the first: %s; again with: %s"
                            .formatted(Wording.counted(report.findings().size(), "finding"), first.what(), first.repeat()));
        }
        return 0;
    }

    private void validate() {
        for (Integer number : new Integer[] {amount.cycles, amount.minutes, threads}) {
            if (number != null && number < 1) {
                throw new ParameterException(spec.commandLine(), "numbers must be positive: " + number);
            }
        }
        if (amount.minutes != null && amount.minutes > Durations.MINUTES_MAX) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--minutes is at most %,d: %,d".formatted(Durations.MINUTES_MAX, amount.minutes));
        }
    }

    private Map<String, String> options() {
        Map<String, String> options = new LinkedHashMap<>();
        if (amount.minutes != null) {
            options.put("minutes", amount.minutes.toString());
        } else {
            options.put("cycles", Integer.toString(amount.cycles == null ? 1000 : amount.cycles));
        }
        if (keepDirectory != null) {
            options.put("keep", keepDirectory.toString());
        }
        return options;
    }

    private static Facts facts(CampaignReport report) {
        Facts facts = new Facts().count("seed", "seed", report.seed()).count("cycles", "cycles", report.casesInAll());
        report.cases().forEach((kind, count) -> facts.count(kind, kind.replace(' ', '_'), count));
        report.notes().forEach((name, value) -> facts.text(name, name.replace(' ', '_'), value));
        return facts.duration("took", "tookNanos", report.nanos())
                .list("findings", report.findings().stream().map(KillCommand::facts).toList());
    }

    private static Facts facts(Finding finding) {
        return new Facts().text("what", "what", finding.what()).text("repeat", "repeat", finding.repeat());
    }
}
