package org.kvmdb.tools.peers;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.kvmdb.tools.Sizes;

/**
 * One work as a picture: a group of bars for each case, each group to a scale of its own from zero, ours in a colour of its own. Plain
 * SVG that stands alone, on light and dark pages.
 */
final class BarChart {

    static final String OURS = "#c2410c";

    private static final String OTHERS = "#94a3b8";
    private static final int WIDTH = 820;
    private static final int LEFT = 110;
    private static final int BAR_WIDTH_MAX = 560;
    private static final int BAR_HEIGHT = 14;
    private static final int ROW = 18;
    private static final int HEADING = 26;
    private static final int TITLE = 34;
    private static final int MARGIN = 12;

    private final Work work;
    private final Results results;
    private final List<PeerSystem> systems;
    private final StringBuilder svg = new StringBuilder();
    private int y = TITLE;

    BarChart(Work work, Results results, List<PeerSystem> systems) {
        this.work = work;
        this.results = results;
        this.systems = systems;
    }

    /** Empty when nothing was measured. */
    String svg() {
        for (Case measured : work.cases()) {
            group(measured);
        }
        if (svg.isEmpty()) {
            return "";
        }
        return """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="12">
                <title>%s</title>
                <rect width="100%%" height="100%%" fill="#ffffff"/>
                <text x="%d" y="22" font-size="15" font-weight="bold" fill="#1f2933">%s</text>
                %s</svg>
                """
                .formatted(WIDTH, y + MARGIN, escape(work.what()), MARGIN, escape(work.name() + ": " + work.what()), svg);
    }

    private void group(Case measured) {
        double highest = systems.stream()
                .map(system -> results.median(measured, system))
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .max()
                .orElse(0);
        if (highest <= 0) {
            return;
        }
        String better = measured.moreIsBetter() ? "more is better" : "less is better";
        add(
                "<text x=\"%d\" y=\"%d\" font-weight=\"bold\" fill=\"#1f2933\">%s (%s, %s)</text>",
                MARGIN, y + 18, escape(measured.what()), escape(measured.unit()), better);
        y += HEADING;
        for (PeerSystem system : systems) {
            results.median(measured, system).ifPresent(value -> bar(system, value, value / highest));
        }
    }

    private void bar(PeerSystem system, double value, double share) {
        double width = Math.max(share * BAR_WIDTH_MAX, 1);
        String colour = system.isOurs() ? OURS : OTHERS;
        add("<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#1f2933\">%s</text>", LEFT - 8, y + 12, system);
        add(
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>",
                LEFT, y + (ROW - BAR_HEIGHT) / 2, width, BAR_HEIGHT, colour);
        add("<text x=\"%.1f\" y=\"%d\" fill=\"#52606d\">%s</text>", LEFT + width + 6, y + 12, number(value));
        y += ROW;
    }

    private static String number(double value) {
        return value >= 1000 ? String.format(Locale.ROOT, "%,d", Math.round(value)) : Sizes.significant(value);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private void add(String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
