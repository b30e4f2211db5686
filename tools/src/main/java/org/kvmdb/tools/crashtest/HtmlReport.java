package org.kvmdb.tools.crashtest;

import java.util.ArrayList;
import java.util.List;
import org.kvmdb.journal.simulation.Finding;
import org.kvmdb.tools.Facts;

/** The report as one page that needs nothing else: no script, no other file; readable in light and dark. */
final class HtmlReport {

    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>KVM DB crash test</title>
            <style>
            :root { color-scheme: light dark; --ink: #1c2330; --faint: #667085; --line: #d9dee7; --page: #ffffff;
              --panel: #f5f7fa; --bar: #2f6fb5; --good: #17704a; --bad: #b3261e; }
            @media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --faint: #98a2b3; --line: #333b49;
              --page: #12161d; --panel: #1b212b; --bar: #5b9be0; --good: #4cc38a; --bad: #ff8a80; } }
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto;
              max-width: 1040px; padding: 28px 20px 60px; }
            h1 { font-size: 24px; margin: 0 0 4px; }
            h2 { font-size: 17px; margin: 34px 0 8px; }
            p { margin: 4px 0 12px; color: var(--faint); }
            .verdict { font-size: 17px; font-weight: 600; margin: 0 0 18px; color: var(--good); }
            .bad { color: var(--bad); }
            .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 10px; }
            .tile { background: var(--panel); border-radius: 8px; padding: 10px 16px; }
            .tile b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; white-space: nowrap; }
            .tile span { color: var(--faint); font-size: 13px; }
            .scroll { overflow-x: auto; }
            table { border-collapse: collapse; width: 100%; font-size: 14px; }
            th { text-align: left; color: var(--faint); font-weight: 500; white-space: nowrap; }
            th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
            .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
            .finding { background: var(--panel); border-left: 4px solid var(--bad); border-radius: 4px;
              padding: 10px 16px; margin: 10px 0; }
            pre { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; margin: 4px 0 10px; }
            svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; }
            svg .bar { fill: var(--bar); } svg .grid { stroke: var(--line); } svg .base { stroke: var(--faint); }
            svg text { fill: var(--ink); } svg .tick { fill: var(--faint); font-size: 12px; }
            svg .group { font-weight: 600; } svg .value { font-variant-numeric: tabular-nums; }
            </style>
            </head>
            <body>
            """;

    private final CrashtestReport report;
    private final StringBuilder page = new StringBuilder(HEAD);

    HtmlReport(CrashtestReport report) {
        this.report = report;
    }

    String page() {
        page.append("<h1>KVM DB crash test</h1>\n");
        page.append("<div class=\"verdict%s\">%s</div>%n"
                .formatted(report.isClean() ? "" : " bad", escape(report.verdict())));
        tiles();
        findings();
        if (!report.withCases().isEmpty()) {
            heading("Cases by kind", "Each bar says how many of a kind were tried. The scale is logarithmic.");
            page.append(new BarChart(report.withCases(), LogScale.of(report)).svg());
        }
        section(
                "Campaigns",
                "The same seed gives the same cases and the same trace hash; none is given where timing decides.",
                report.campaignRows());
        section("Planted bugs", "Each was put in on purpose: by what it was noticed, after how many cases.", report.plantedRows());
        section("Coverage of the recovery code", "What the campaigns ran of it.", report.coverageRows());
        section("Notes", "", report.noteRows());
        section("What others try", "For comparison, as their own sources and papers say.", report.peerRows());
        heading("Machine", "");
        table(report.machine().labelled().stream()
                .map(fact -> new Facts().text("", "label", fact.label()).text("", "value", fact.text()))
                .toList());
        return page.append("</body>\n</html>\n").toString();
    }

    private void tiles() {
        page.append("<div class=\"tiles\">\n");
        report.summary().labelled().stream().skip(1).forEach(fact -> page.append(
                "<div class=\"tile\"><b>%s</b><span>%s</span></div>%n".formatted(escape(fact.text()), escape(fact.label()))));
        page.append("</div>\n");
    }

    private void findings() {
        if (!report.findings().isEmpty()) {
            heading("Findings", "");
        }
        for (Finding finding : report.findings()) {
            page.append("<div class=\"finding\"><pre>%s</pre>%n".formatted(escape(finding.what())));
            if (!finding.workload().isEmpty()) {
                page.append("The shortest workload that shows it:<pre>%s</pre>%n".formatted(escape(finding.workload())));
            }
            page.append("Repeat it with:<pre>%s</pre></div>%n".formatted(escape(finding.repeat())));
        }
    }

    private void heading(String title, String words) {
        page.append("<h2>%s</h2>%n".formatted(escape(title)));
        if (!words.isEmpty()) {
            page.append("<p>%s</p>%n".formatted(escape(words)));
        }
    }

    private void section(String title, String words, List<Facts> rows) {
        if (!rows.isEmpty()) {
            heading(title, words);
            table(rows);
        }
    }

    private void table(List<Facts> rows) {
        page.append("<div class=\"scroll\"><table>\n");
        List<Facts.Fact> head = rows.getFirst().labelled();
        if (head.stream().anyMatch(fact -> !fact.label().isEmpty())) {
            row("th", head, head.stream().map(Facts.Fact::label).toList());
        }
        for (Facts row : rows) {
            row("td", row.labelled(), row.labelled().stream().map(Facts.Fact::text).toList());
        }
        page.append("</table></div>\n");
    }

    private void row(String cell, List<Facts.Fact> facts, List<String> texts) {
        List<String> cells = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            String style = facts.get(i).value() instanceof Number ? " class=\"number\"" : "";
            if (texts.get(i).equals(CrashtestReport.NOT_CAUGHT)) {
                style = " class=\"bad\"";
            }
            cells.add("<%1$s%2$s>%3$s</%1$s>".formatted(cell, style, escape(texts.get(i))));
        }
        page.append("<tr>").append(String.join("", cells)).append("</tr>\n");
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
