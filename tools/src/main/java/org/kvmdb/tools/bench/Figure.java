package org.kvmdb.tools.bench;

import org.kvmdb.tools.Facts;
import org.kvmdb.tools.Sizes;

/**
 * One result: what was measured, what it is compared with, and the ratio of the two, which is the figure.
 *
 * @param name short and stable, for scripts
 * @param what what {@code value} is, in words
 * @param value median over the rounds
 * @param unit of value and peer
 * @param peer what {@code peerValue} is, in words
 * @param ratio median over the rounds of the ratio within a round
 * @param aim what the ratio is to be
 */
public record Figure(
        String name, String what, double value, String unit, String peer, double peerValue, double ratio, Aim aim) {

    /** A bound on a ratio. */
    public record Aim(boolean upper, double bound) {

        /** For figures that only inform. */
        public static final Aim NONE = new Aim(true, Double.NaN);

        public static Aim atMost(double bound) {
            return new Aim(true, bound);
        }

        public static Aim atLeast(double bound) {
            return new Aim(false, bound);
        }

        public boolean exists() {
            return !Double.isNaN(bound);
        }

        public boolean isMetBy(double ratio) {
            return upper ? ratio <= bound : ratio >= bound;
        }

        @Override
        public String toString() {
            return exists() ? (upper ? "at most " : "at least ") + Sizes.significant(bound) : "";
        }
    }

    public Facts facts() {
        Facts facts = new Facts()
                .text("figure", "name", name)
                .text("measured", "what", what)
                .number("value", "value", value, " " + unit)
                .text(null, "unit", unit)
                .text("compared with", "peer", peer)
                .number("value", "peerValue", peerValue, " " + unit)
                .number("ratio", "ratio", ratio, "")
                .text("aim", "aim", aim.toString());
        return aim.exists()
                ? facts.text("", "met", aim.isMetBy(ratio) ? "met" : "missed")
                : facts.text("", "met", "");
    }
}
