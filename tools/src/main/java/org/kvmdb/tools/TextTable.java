package org.kvmdb.tools;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of facts with the same labels, as columns under a heading. */
public final class TextTable {

    private static final String GAP = "  ";

    private TextTable() {}

    /** Empty for no rows. Numbers are aligned right, words left. */
    public static String of(List<Facts> rows) {
        return of(rows, Integer.MAX_VALUE);
    }

    /** As {@link #of(List)}; no rows are told in words. */
    static String of(List<Facts> rows, String nothing) {
        return rows.isEmpty() ? "  " + nothing + System.lineSeparator() : of(rows);
    }

    /** As {@link #of(List)}; where lines would be longer than that, the last column goes on below itself. */
    public static String of(List<Facts> rows, int columnsMax) {
        if (rows.isEmpty()) {
            return "";
        }
        List<List<Facts.Fact>> cells = rows.stream().map(Facts::labelled).toList();
        List<Facts.Fact> first = cells.getFirst();
        StringBuilder table = new StringBuilder();
        int[] widths = new int[first.size()];
        for (int column = 0; column < widths.length; column++) {
            int index = column;
            widths[column] = Math.max(
                    first.get(column).label().length(),
                    cells.stream().mapToInt(row -> row.get(index).text().length()).max().orElse(0));
        }
        int last = widths.length - 1;
        int before = Arrays.stream(widths, 0, last).map(width -> width + GAP.length()).sum() + GAP.length();
        int room = Math.max(columnsMax - before, first.get(last).label().length() + 1);
        widths[last] = Math.min(room, widths[last]);
        appendRow(table, first, first.stream().map(Facts.Fact::label).toList(), widths);
        for (List<Facts.Fact> row : cells) {
            List<String> texts = new ArrayList<>(row.stream().map(Facts.Fact::text).toList());
            List<String> lines = wrapped(texts.get(last), widths[last]);
            texts.set(last, lines.getFirst());
            appendRow(table, row, texts, widths);
            lines.stream().skip(1).forEach(line -> table.append(" ".repeat(before))
                    .append(line)
                    .append(System.lineSeparator()));
        }
        return table.toString();
    }

    /** Broken at spaces, or where there is none, within words. */
    private static List<String> wrapped(String text, int width) {
        List<String> lines = new ArrayList<>();
        String rest = text;
        while (rest.length() > width) {
            int space = rest.lastIndexOf(' ', width);
            int end = space > 0 ? space : width;
            lines.add(rest.substring(0, end));
            rest = rest.substring(end).stripLeading();
        }
        lines.add(rest);
        return lines;
    }

    private static void appendRow(StringBuilder table, List<Facts.Fact> row, List<String> texts, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            String padding = " ".repeat(widths[column] - texts.get(column).length());
            boolean left = row.get(column).value() instanceof String;
            line.append(GAP).append(left ? texts.get(column) + padding : padding + texts.get(column));
        }
        table.append(line.toString().stripTrailing()).append(System.lineSeparator());
    }
}
