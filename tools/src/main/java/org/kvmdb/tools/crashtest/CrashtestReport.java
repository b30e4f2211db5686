package org.kvmdb.tools.crashtest;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.journal.simulation.PlantedBug;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Output;
import org.kvmdb.tools.Wording;

/**
 * What the campaigns of one run did and found, as rows for whoever shows them.
 *
 * @param scale how much was asked for, in a word; empty when it is of a workload of the user's
 * @param machine what it ran on
 */
record CrashtestReport(String scale, long seed, int threads, List<CampaignReport> campaigns, Facts machine) {

    /** The campaign whose notes are the coverage of classes, by name. */
    private static final String COVERAGE = "coverage";

    /** Instead of what noticed a planted bug. */
    static final String NOT_CAUGHT = "NOTHING";

    boolean isClean() {
        return campaigns.stream().allMatch(CampaignReport::isClean);
    }

    /** One sentence. */
    String verdict() {
        long findings = findings().size();
        long missed = planted().filter(bug -> !bug.isCaught()).count();
        if (findings == 0 && missed == 0) {
            return "everything held";
        }
        return Wording.counted(findings, "finding")
                + (missed == 0 ? "" : ", %s not noticed".formatted(Wording.counted(missed, "planted bug")));
    }

    long cases() {
        return campaigns.stream().mapToLong(CampaignReport::casesInAll).sum();
    }

    private long nanos() {
        return campaigns.stream().mapToLong(CampaignReport::nanos).sum();
    }

    private Stream<PlantedBug> planted() {
        return campaigns.stream().flatMap(campaign -> campaign.planted().stream());
    }

    List<Finding> findings() {
        return campaigns.stream()
                .flatMap(campaign -> campaign.findings().stream())
                .toList();
    }

    Facts summary() {
        long planted = planted().count();
        long caught = planted().filter(PlantedBug::isCaught).count();
        return new Facts()
                .text("verdict", "verdict", verdict())
                .flag(null, "clean", isClean())
                .count("cases tried", "cases", cases())
                .count(
                        "distinct states",
                        "distinct",
                        campaigns.stream().mapToLong(CampaignReport::distinct).sum())
                .count(null, "planted", planted)
                .count(planted == 0 ? null : "planted bugs noticed", "caught", caught)
                .text(ofUser() ? null : "scale", "scale", scale)
                .text("seed", "seed", seed)
                .count("threads", "threads", threads)
                .duration("took", "nanos", nanos())
                .number("cases a second", "casesPerSecond", perSecond(cases(), nanos()), "");
    }

    /** Whether it is of a workload of the user's, and not of the store. */
    private boolean ofUser() {
        return scale.isEmpty();
    }

    List<Facts> peerRows() {
        return ofUser() ? List.of() : PeerFigure.rows();
    }

    private static double perSecond(long count, long nanos) {
        return nanos == 0 ? 0 : count * 1e9 / nanos;
    }

    List<Facts> campaignRows() {
        return campaigns.stream().map(CrashtestReport::row).toList();
    }

    private static Facts row(CampaignReport campaign) {
        return new Facts()
                .text("campaign", "name", campaign.campaign())
                .count("cases", "cases", campaign.casesInAll())
                .count("distinct", "distinct", campaign.distinct())
                .duration("took", "nanos", campaign.nanos())
                .number("a second", "casesPerSecond", perSecond(campaign.casesInAll(), campaign.nanos()), "")
                .count("findings", "findings", campaign.findings().size())
                .text("trace hash", "traceHash", hash(campaign.traceHash()));
    }

    private static String hash(long traceHash) {
        return traceHash == 0 ? "" : "%016x".formatted(traceHash);
    }

    /** Campaigns that tried something of several kinds, with how much of each. */
    List<CampaignReport> withCases() {
        return campaigns.stream()
                .filter(campaign -> !campaign.cases().isEmpty())
                .toList();
    }

    List<Facts> plantedRows() {
        return campaigns.stream()
                .flatMap(campaign -> campaign.planted().stream().map(bug -> row(campaign, bug)))
                .toList();
    }

    private static Facts row(CampaignReport campaign, PlantedBug bug) {
        return new Facts()
                .text("campaign", "campaign", campaign.campaign())
                .text("planted bug", "name", bug.name())
                .count("cases", "casesUntilCaught", bug.casesUntilCaught())
                .text("caught by", "caughtBy", bug.isCaught() ? bug.caughtBy() : NOT_CAUGHT);
    }

    List<Facts> coverageRows() {
        return notes(campaign -> campaign.equals(COVERAGE)).toList();
    }

    /** What else campaigns say. */
    List<Facts> noteRows() {
        return notes(campaign -> !campaign.equals(COVERAGE)).toList();
    }

    private Stream<Facts> notes(Predicate<String> of) {
        return campaigns.stream()
                .filter(campaign -> of.test(campaign.campaign()))
                .flatMap(campaign -> campaign.notes().entrySet().stream()
                        .map(note -> new Facts()
                                .text("campaign", "campaign", campaign.campaign())
                                .text("what", "what", note.getKey())
                                .text("value", "value", note.getValue())));
    }

    List<Facts> findingRows() {
        return findings().stream()
                .map(finding -> new Facts()
                        .text("what", "what", finding.what())
                        .text("workload", "workload", finding.workload())
                        .text("repeat", "repeat", finding.repeat()))
                .toList();
    }

    /**
     * Prints it and writes it.
     *
     * @param files null when it is not to be written
     * @throws CommandFailedException when something was wrong
     */
    void tell(Output output, ReportFiles files) throws IOException {
        output.print(facts(), new TextReport(this).text());
        if (files != null) {
            files.write(this);
        }
        if (!isClean()) {
            throw new CommandFailedException(verdict());
        }
    }

    /** All of it, for programs. */
    Facts facts() {
        return new Facts()
                .nested("summary", summary())
                .list("campaigns", campaigns.stream().map(CrashtestReport::withKinds).toList())
                .list("planted", plantedRows())
                .list("coverage", coverageRows())
                .list("notes", noteRows())
                .list("findings", findingRows())
                .nested("machine", machine);
    }

    private static Facts withKinds(CampaignReport campaign) {
        Facts kinds = new Facts();
        for (Map.Entry<String, Long> kind : campaign.cases().entrySet()) {
            kinds.count(null, kind.getKey(), kind.getValue());
        }
        return row(campaign).nested("kinds", kinds);
    }
}
