package org.kvmdb.crashtest;

import java.util.List;
import java.util.Map;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.Finding;

/** What a {@link CrashTest} tried and found. */
public final class CrashReport {

    private final CampaignReport campaign;

    CrashReport(CampaignReport campaign) {
        this.campaign = campaign;
    }

    /** Nothing was wrong. */
    public boolean isClean() {
        return campaign.isClean();
    }

    /** How many cases were checked, by kind. */
    public Map<String, Long> cases() {
        return campaign.cases();
    }

    /** How many different states were among them. */
    public long distinctStates() {
        return campaign.distinct();
    }

    /** What was wrong: the first that was met, as nothing is tried behind it, with the shortest run that shows it. */
    public List<Finding> findings() {
        return campaign.findings();
    }

    /** For the report of the command. */
    public CampaignReport campaign() {
        return campaign;
    }

    /**
     * For tests: does nothing when nothing was wrong.
     *
     * @throws AssertionError with all findings
     */
    public void assertClean() {
        if (!isClean()) {
            throw new AssertionError(toString());
        }
    }

    /** In words: what was tried, and the findings. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("%,d cases, seed %d%n".formatted(campaign.casesInAll(), campaign.seed()));
        campaign.cases().forEach((kind, count) -> text.append("  %,9d  %s%n".formatted(count, kind)));
        for (Finding finding : findings()) {
            text.append("FINDING%n".formatted()).append(finding.what().indent(2));
            if (!finding.workload().isEmpty()) {
                text.append("  the shortest workload that shows it:%n".formatted());
                text.append(finding.workload().indent(4));
            }
            text.append("  repeat it with:%n    %s%n".formatted(finding.repeat()));
        }
        return text.toString();
    }
}
