package org.kvmdb.control;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Named values of an answer, in the order in which they came. */
public final class Values {

    private final Map<String, String> values = new LinkedHashMap<>();

    /** Adds a value; null is left out. */
    public Values with(String name, Object value) {
        if (value != null) {
            values.put(name, value.toString());
        }
        return this;
    }

    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** @throws IllegalArgumentException when the answer does not have it */
    public String text(String name) {
        final String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the answer lacks '%s'".formatted(name));
        }
        return value;
    }

    public long number(String name) {
        final String value = text(name);
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("the answer's '%s' is no number: %s".formatted(name, value), e);
        }
    }

    public boolean flag(String name) {
        return Boolean.parseBoolean(text(name));
    }

    public Map<String, String> asMap() {
        return Collections.unmodifiableMap(values);
    }
}
