package org.kvmdb.tools;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them. K, M, G, T, P and E are powers of 1024, with or without {@code iB} or {@code B}. */
public final class Sizes {

    private static final String UNITS = "KMGTPE";
    private static final Pattern SIZE =
            Pattern.compile("(\\d{1,19}(?:\\.\\d{1,9})?)\\s*(?:([KMGTPE])I?)?B?", Pattern.CASE_INSENSITIVE);

    private Sizes() {}

    /**
     * Reads {@code 64G}, {@code 4K}, {@code 1.5 GiB}, {@code 4096}.
     *
     * @throws IllegalArgumentException when it is no size, no whole number of bytes, or more than a long holds
     */
    public static long parse(String text) {
        Matcher matcher = SIZE.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a size such as 4096, 4K, 64G or 1.5GiB");
        }
        int power = matcher.group(2) == null ? 0 : 1 + UNITS.indexOf(Character.toUpperCase(matcher.group(2).charAt(0)));
        BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(new BigDecimal(1L << (10 * power)));
        try {
            return bytes.longValueExact();
        } catch (ArithmeticException e) {
            String reason = bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0
                    ? "' is not less than 8 EiB"
                    : "' is not a whole number of bytes";
            throw new IllegalArgumentException("'" + text + reason, e);
        }
    }

    /** Three significant digits and a binary unit: {@code 512 B}, {@code 1.5 KiB}, {@code 139 MiB}, {@code 64 GiB}. */
    public static String format(long bytes) {
        if (Math.abs(bytes) < 1024) {
            return bytes + " B";
        }
        int power = 0;
        double scaled = bytes;
        // 999.5 and more would print as four digits.
        while (Math.abs(scaled) >= 999.5 && power < UNITS.length()) {
            scaled /= 1024;
            power++;
        }
        return significant(scaled) + " " + UNITS.charAt(power - 1) + "iB";
    }

    /** Three significant digits, no trailing zeros behind the point. */
    public static String significant(double value) {
        if (!Double.isFinite(value)) {
            return "-";
        }
        if (value == 0) {
            return "0";
        }
        int scale = Math.clamp(2 - (int) Math.floor(Math.log10(Math.abs(value))), 0, 9);
        BigDecimal rounded = BigDecimal.valueOf(value).setScale(scale, RoundingMode.HALF_UP);
        if (rounded.signum() == 0) {
            return "0";
        }
        return String.format(Locale.ROOT, "%s", scale == 0 ? rounded : rounded.stripTrailingZeros().toPlainString());
    }
}
