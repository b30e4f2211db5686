package org.kvmdb.tools.crashtest;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.kvmdb.journal.simulation.CampaignReport;

/** Cases by kind as a picture: bars to a logarithmic scale, in a group for each campaign, as SVG that takes colours from CSS. */
final class BarChart {

    private static final int WIDTH = 1000;
    private static final int BARS_LEFT = 330;
    private static final int BARS_WIDTH = 560;
    private static final int ROW = 22;
    private static final int BAR = 14;
    private static final int GROUP_GAP = 12;
    private static final int AXIS = 26;
    private static final int LABEL_MAX = 44;

    private final List<CampaignReport> campaigns;
    private final LogScale scale;
    private final StringBuilder svg = new StringBuilder();
    private int y = AXIS;

    BarChart(List<CampaignReport> campaigns, LogScale scale) {
        this.campaigns = campaigns;
        this.scale = scale;
    }

    String svg() {
        int height = AXIS
                + campaigns.stream()
                        .mapToInt(campaign -> GROUP_GAP + ROW * (1 + campaign.cases().size()))
                        .sum();
        svg.append(("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Cases tried, by campaign and kind,"
                        + " on a logarithmic scale\">%n")
                .formatted(WIDTH, height));
        axis(height);
        campaigns.forEach(this::group);
        return svg.append("</svg>\n").toString();
    }

    /** A line at each power of ten. */
    private void axis(int height) {
        for (int decade = 0; decade <= scale.decades(); decade++) {
            double x = BARS_LEFT + scale.share(Math.round(Math.pow(10, decade))) * BARS_WIDTH;
            add("<line class=\"grid\" x1=\"%1$.1f\" x2=\"%1$.1f\" y1=\"%2$d\" y2=\"%3$d\"/>", x, AXIS - 4, height);
            text("tick", x, AXIS - 10, "middle", "%,d".formatted((long) Math.pow(10, decade)));
        }
        add("<line class=\"base\" x1=\"%1$d\" x2=\"%1$d\" y1=\"%2$d\" y2=\"%3$d\"/>", BARS_LEFT, AXIS - 4, height);
    }

    private void group(CampaignReport campaign) {
        y += GROUP_GAP;
        text("group", 0, y + 15, "start", campaign.campaign());
        text("tick", BARS_LEFT - 10, y + 15, "end", "%,d in all".formatted(campaign.casesInAll()));
        y += ROW;
        for (Map.Entry<String, Long> kind : campaign.cases().entrySet()) {
            bar(kind.getKey(), kind.getValue());
            y += ROW;
        }
    }

    private void bar(String kind, long count) {
        double width = scale.share(count) * BARS_WIDTH;
        text("kind", BARS_LEFT - 10, y + 15, "end", shortened(kind));
        add(
                "<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"><title>%s: %,d</title></rect>",
                BARS_LEFT, y + (ROW - BAR) / 2, width, BAR, HtmlReport.escape(kind), count);
        text("value", BARS_LEFT + width + 6, y + 15, "start", "%,d".formatted(count));
    }

    private static String shortened(String kind) {
        return kind.length() <= LABEL_MAX ? kind : kind.substring(0, LABEL_MAX - 1) + "…";
    }

    private void text(String style, double x, int at, String anchor, String words) {
        add(
                "<text class=\"%s\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>",
                style, x, at, anchor, HtmlReport.escape(words));
    }

    private void add(String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
