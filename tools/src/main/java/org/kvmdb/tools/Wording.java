package org.kvmdb.tools;

import java.util.List;
import java.util.Locale;

/** How names and numbers of things are put into sentences. */
public final class Wording {

    // Those that turn the direction of what follows.
    private static final int FIRST_EMBEDDING = 0x202A;
    private static final int LAST_OVERRIDE = 0x202E;
    private static final int FIRST_ISOLATE = 0x2066;
    private static final int LAST_ISOLATE = 0x2069;

    private Wording() {}

    /** {@code 1 defect}, {@code 2,000 defects}. */
    public static String counted(long count, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", count, noun, count == 1 ? "" : "s");
    }

    /** A line below what is damaged, or none. */
    static String heldBy(List<String> names) {
        return names.isEmpty() ? "" : "    held by %s%n".formatted(printable(String.join(", ", names)));
    }

    /** What a terminal would take for a command is shown instead: names may hold anything. */
    public static String printable(String text) {
        if (text.codePoints().noneMatch(Wording::isCommand)) {
            return text;
        }
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(point -> {
            if (isCommand(point)) {
                shown.append(String.format(Locale.ROOT, "\\u%04x", point));
            } else {
                shown.appendCodePoint(point);
            }
        });
        return shown.toString();
    }

    private static boolean isCommand(int point) {
        return Character.isISOControl(point)
                || point >= FIRST_EMBEDDING && point <= LAST_OVERRIDE
                || point >= FIRST_ISOLATE && point <= LAST_ISOLATE;
    }
}
