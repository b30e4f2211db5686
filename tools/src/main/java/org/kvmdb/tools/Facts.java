package org.kvmdb.tools;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a command found out, once for people and once for programs: each fact has a label and a text, and a JSON key
 * (with its unit as suffix) and an exact value. Facts without a label are for programs only.
 */
public final class Facts {

    /** @param label null for programs only */
    public record Fact(String label, String key, Object value, String text) {}

    private final List<Fact> facts = new ArrayList<>();

    public Facts text(String label, String key, Object value) {
        return add(label, key, value == null ? null : value.toString(), Wording.printable(String.valueOf(value)));
    }

    /** Key ends in {@code Bytes}. */
    public Facts size(String label, String key, long bytes) {
        return add(label, key, bytes, Sizes.format(bytes));
    }

    /** As size; 0 is no limit. Key ends in {@code Bytes}. */
    public Facts limit(String label, String key, long bytes) {
        return add(label, key, bytes, bytes == 0 ? "none" : Sizes.format(bytes));
    }

    public Facts count(String label, String key, long count) {
        return add(label, key, count, String.format(Locale.ROOT, "%,d", count));
    }

    /** Key ends in {@code Nanos}. */
    public Facts duration(String label, String key, long nanos) {
        return add(label, key, nanos, Durations.format(nanos));
    }

    public Facts number(String label, String key, double value, String suffix) {
        Object json = Double.isFinite(value) ? value : null;
        return add(label, key, json, grouped(value) + suffix);
    }

    /** A fraction of one for programs, per cent for people. */
    public Facts share(String label, String key, double fraction) {
        return add(label, key, fraction, Sizes.significant(fraction * 100) + " %");
    }

    public Facts flag(String label, String key, boolean value) {
        return add(label, key, value, value ? "yes" : "no");
    }

    /** For programs only: a list of words. */
    public Facts texts(String key, List<String> texts) {
        return add(null, key, List.copyOf(texts), "");
    }

    /** For programs only: a list of values. */
    public Facts numbers(String key, List<Double> numbers) {
        return add(null, key, List.copyOf(numbers), "");
    }

    boolean has(String key) {
        return facts.stream().anyMatch(fact -> fact.key.equals(key));
    }

    /** For programs only. */
    public Facts nested(String key, Facts nested) {
        return add(null, key, nested.asMap(), "");
    }

    /** For programs only. */
    public Facts list(String key, List<Facts> list) {
        return add(null, key, list.stream().map(Facts::asMap).toList(), "");
    }

    private Facts add(String label, String key, Object value, String text) {
        facts.add(new Fact(label, key, value, text));
        return this;
    }

    /** Those with a label, in order. */
    public List<Fact> labelled() {
        return facts.stream().filter(fact -> fact.label != null).toList();
    }

    public Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        facts.forEach(fact -> map.put(fact.key, fact.value));
        return map;
    }

    /** One line a fact, values aligned. */
    public String asText() {
        List<Fact> shown = labelled();
        int width = shown.stream().mapToInt(fact -> fact.label.length()).max().orElse(0);
        StringBuilder text = new StringBuilder();
        for (Fact fact : shown) {
            text.append("  ").append(fact.label).append(" ".repeat(width - fact.label.length() + 2));
            text.append(fact.text).append(System.lineSeparator());
        }
        return text.toString();
    }

    private static String grouped(double value) {
        return Math.abs(value) >= 1000 && Double.isFinite(value)
                ? String.format(Locale.ROOT, "%,d", Math.round(value))
                : Sizes.significant(value);
    }
}
