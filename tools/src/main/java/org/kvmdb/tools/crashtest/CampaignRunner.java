package org.kvmdb.tools.crashtest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import org.kvmdb.journal.simulation.Campaign;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignPlan.Scale;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.tools.Durations;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Machine;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.Progress;
import org.kvmdb.tools.TemporaryDirectory;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * Runs campaigns one after the other, each in a directory of its own, and says how far it is.
 *
 * @param options of the campaigns
 * @param base where the directories are made
 * @param output hears a line a campaign
 */
record CampaignRunner(
        Scale scale, long seed, int threads, Map<String, String> options, Path base, Output output) {

    private static final int FRAMES_SHOWN = 12;

    /** All that are on the class path, by name. */
    static List<Campaign> campaigns() {
        return ServiceLoader.load(Campaign.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparing(Campaign::name))
                .toList();
    }

    /** What a campaign says that it cannot do is wrong usage, before any of them has begun. */
    static void checkOptions(List<Campaign> chosen, Map<String, String> options, CommandLine commandLine) {
        for (Campaign campaign : chosen) {
            try {
                campaign.checkOptions(options);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(commandLine, e.getMessage(), e);
            }
        }
    }

    CrashtestReport run(List<Campaign> chosen) throws IOException {
        Facts machine = Machine.facts(base);
        List<CampaignReport> reports = new ArrayList<>();
        for (Campaign campaign : chosen) {
            CampaignReport report = run(campaign);
            reports.add(report);
            output.say(
                    "%-14s %,14d cases in %s%s",
                    report.campaign(),
                    report.casesInAll(),
                    Durations.format(report.nanos()),
                    report.isClean() ? "" : ": SOMETHING IS WRONG");
        }
        return new CrashtestReport(scale.name().toLowerCase(Locale.ROOT), seed, threads, reports, machine);
    }

    private CampaignReport run(Campaign campaign) throws IOException {
        try (TemporaryDirectory directory = TemporaryDirectory.create(base, "kvmdb-crashtest-");
                Progress progress = new Progress(campaign.name(), 0, "cases")) {
            CampaignPlan plan =
                    new CampaignPlan(scale, seed, threads, directory.path(), options, (done, expected) -> {
                        synchronized (progress) {
                            progress.total(expected);
                            progress.reach(done);
                        }
                    });
            return run(campaign, plan);
        }
    }

    /** A campaign that breaks down is a finding, and the others still run. */
    private CampaignReport run(Campaign campaign, CampaignPlan plan) {
        CampaignTally broken = new CampaignTally(campaign.name(), plan);
        try {
            return campaign.run(plan);
        } catch (Exception | LinkageError | AssertionError | StackOverflowError | InternalError e) {
            broken.found(new Finding("the campaign broke down: " + trace(e), repeat(campaign), ""));
            return broken.report();
        }
    }

    private static String trace(Throwable failure) {
        StringBuilder text = new StringBuilder(failure.toString());
        Arrays.stream(failure.getStackTrace())
                .limit(FRAMES_SHOWN)
                .forEach(frame -> text.append("\n    at ").append(frame));
        return text.toString();
    }

    private String repeat(Campaign campaign) {
        StringBuilder command = new StringBuilder("kvmdb crashtest --only %s --seed %d".formatted(campaign.name(), seed));
        switch (scale) {
            case SMOKE -> command.append(" --quick");
            case VERIFY -> {}
            case RELEASE -> command.append(" --release");
        }
        options.forEach((key, value) -> command.append(" --option ").append(key).append('=').append(value));
        return command.toString();
    }
}
