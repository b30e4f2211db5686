package org.kvmdb.tools.crashtest;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.kvmdb.journal.simulation.CampaignReport;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.tools.Facts;
import org.kvmdb.tools.TextTable;

/** The report for a terminal of 100 columns. */
final class TextReport {

    private static final int COLUMNS = 100;
    private static final int BAR_COLUMNS = 44;
    private static final int KIND_COLUMNS = 36;

    private final CrashtestReport report;
    private final StringBuilder text = new StringBuilder();

    TextReport(CrashtestReport report) {
        this.report = report;
    }

    String text() {
        text.append("%n%s%n".formatted("CRASH TEST: " + report.verdict()));
        text.append(System.lineSeparator()).append(report.summary().asText());
        section("Campaigns", report.campaignRows());
        if (!report.withCases().isEmpty()) {
            kinds();
        }
        section("Planted bugs, and what noticed them", report.plantedRows());
        section("Coverage of the recovery code", report.coverageRows());
        section("Notes", report.noteRows());
        section("What others try, for comparison", report.peerRows());
        heading("Machine");
        text.append(report.machine().asText());
        findings();
        return text.toString();
    }

    private void heading(String title) {
        text.append("%n%s%n".formatted(title));
    }

    private void section(String title, List<Facts> rows) {
        if (!rows.isEmpty()) {
            heading(title);
            text.append(TextTable.of(rows, COLUMNS));
        }
    }

    private void kinds() {
        LogScale scale = LogScale.of(report);
        heading("Cases by kind (bars: logarithmic, full at %,d)".formatted(scale.top()));
        for (CampaignReport campaign : report.withCases()) {
            text.append("  %s%n".formatted(campaign.campaign()));
            for (Map.Entry<String, Long> kind : campaign.cases().entrySet()) {
                text.append(String.format(
                                Locale.ROOT,
                                "    %-" + KIND_COLUMNS + "s %,13d %s",
                                kind.getKey(),
                                kind.getValue(),
                                "#".repeat((int) Math.round(scale.share(kind.getValue()) * BAR_COLUMNS)))
                        .stripTrailing());
                text.append(System.lineSeparator());
            }
        }
    }

    private void findings() {
        List<Finding> findings = report.findings();
        for (int i = 0; i < findings.size(); i++) {
            Finding finding = findings.get(i);
            heading("FINDING %d of %d".formatted(i + 1, findings.size()));
            text.append(finding.what().indent(2));
            if (!finding.workload().isEmpty()) {
                text.append("  the shortest workload that shows it:%n".formatted());
                text.append(finding.workload().indent(4));
            }
            text.append("  repeat it with:%n    %s%n".formatted(finding.repeat()));
        }
    }
}
