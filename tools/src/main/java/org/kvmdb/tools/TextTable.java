package org.kvmdb.tools;

import java.util.List;

/** Rows of facts with the same labels, as columns under a heading. */
public final class TextTable {

    private static final String GAP = "  ";

    private TextTable() {}

    /** Empty for no rows. Numbers are aligned right, words left. */
    public static String of(List<Facts> rows) {
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
        appendRow(table, first, first.stream().map(Facts.Fact::label).toList(), widths);
        for (List<Facts.Fact> row : cells) {
            appendRow(table, row, row.stream().map(Facts.Fact::text).toList(), widths);
        }
        return table.toString();
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
