package org.kvmdb.journal.fuzz;

import java.util.List;

/**
 * A part of something valid that can be edited.
 *
 * @param name its kind, a slash and a number
 * @param seed its valid content
 * @param fields where its fields are, so that values fall upon them
 */
public record Place(String name, byte[] seed, List<Field> fields) {

    /** A number, little endian. */
    public record Field(int at, int width) {}

    public String kind() {
        return name.substring(0, name.indexOf('/'));
    }
}
