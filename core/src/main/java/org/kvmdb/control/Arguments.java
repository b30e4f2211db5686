package org.kvmdb.control;

import java.util.List;

/** Of a request, as many as the operation has names for, or more when the last one may be several. */
record Arguments(List<String> names, List<String> texts) {

    String text(int index) {
        return texts.get(index);
    }

    /** That one and all behind it. */
    List<String> from(int index) {
        return texts.subList(index, texts.size());
    }

    long number(int index) {
        try {
            return Long.parseLong(texts.get(index));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "%s must be a number: '%s'".formatted(names.get(index), texts.get(index)), e);
        }
    }

    boolean flag(int index) {
        return switch (texts.get(index)) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw new IllegalArgumentException(
                        "%s must be true or false: '%s'".formatted(names.get(index), texts.get(index)));
        };
    }
}
