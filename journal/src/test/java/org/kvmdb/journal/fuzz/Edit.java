package org.kvmdb.journal.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One change of a part of an input. A change that makes no sense there (behind the end, of a part that does not exist) does
 * nothing, so that any list of them is a program.
 *
 * @param place the part
 * @param at offset in it
 * @param width of a number, or a length
 * @param value a number
 * @param other a part that is copied from; else empty
 * @param otherAt offset in that
 */
public record Edit(Op op, String place, int at, int width, long value, String other, int otherAt) {

    /** What is done. */
    public enum Op {
        /** A number becomes the value. */
        SET,
        /** The value is added to a number. */
        ADD,
        /** A number is changed in the bits of the value. */
        FLIP,
        /** A range becomes the value, byte by byte. */
        FILL,
        /** A range becomes what another place holds. */
        COPY,
        /** What another place holds is put in. */
        INSERT,
        /** A range is taken out. */
        DELETE,
        /** The part ends there; of length 0 it is left out. */
        CUT,
        /** Two parts change places, as a whole. */
        SWAP
    }

    private static final int LENGTH_MAX = 1 << 20;

    public static Edit number(Op op, String place, int at, int width, long value) {
        return new Edit(op, place, at, width, value, "", 0);
    }

    /** A line of a seed file. */
    public String toLine() {
        return "%s %s %d %d 0x%x %s %d".formatted(op, place, at, width, value, other.isEmpty() ? "-" : other, otherAt);
    }

    /** @param line as {@link #toLine} made it */
    public static Edit ofLine(String line) {
        final String[] words = line.trim().split(" ");
        if (words.length != 7) {
            throw new IllegalArgumentException("no edit: " + line);
        }
        return new Edit(
                Op.valueOf(words[0]), words[1], Integer.parseInt(words[2]), Integer.parseInt(words[3]),
                Long.parseUnsignedLong(words[4].substring(2), 16), words[5].equals("-") ? "" : words[5],
                Integer.parseInt(words[6]));
    }

    /** Changes the parts, each of which is replaced, never written to. */
    public static void apply(List<Edit> program, Map<String, byte[]> parts) {
        program.forEach(edit -> edit.apply(parts));
    }

    private void apply(Map<String, byte[]> parts) {
        final byte[] part = parts.get(place);
        if (part == null || at < 0 || at > part.length || width < 0 || width > LENGTH_MAX) {
            return;
        }
        final byte[] from = parts.get(other);
        switch (op) {
            case SET, ADD, FLIP -> parts.put(place, withNumber(part));
            case FILL -> parts.put(place, filled(part));
            case COPY -> parts.put(place, copied(part, from));
            case INSERT -> parts.put(place, inserted(part, from));
            case DELETE -> parts.put(place, deleted(part));
            case CUT -> parts.put(place, Arrays.copyOf(part, at));
            case SWAP -> {
                if (from != null) {
                    parts.put(place, from);
                    parts.put(other, part);
                }
            }
        }
    }

    private byte[] withNumber(byte[] part) {
        if (width > Long.BYTES || at + width > part.length) {
            return part;
        }
        final byte[] result = part.clone();
        long number = 0;
        for (int i = 0; i < width; i++) {
            number |= (part[at + i] & 0xFFL) << 8 * i;
        }
        number = switch (op) {
            case SET -> value;
            case ADD -> number + value;
            default -> number ^ value;
        };
        for (int i = 0; i < width; i++) {
            result[at + i] = (byte) (number >>> 8 * i);
        }
        return result;
    }

    private byte[] filled(byte[] part) {
        final byte[] result = part.clone();
        Arrays.fill(result, at, Math.min(part.length, at + width), (byte) value);
        return result;
    }

    private byte[] copied(byte[] part, byte[] from) {
        if (from == null || otherAt < 0 || otherAt >= from.length) {
            return part;
        }
        final byte[] result = part.clone();
        System.arraycopy(from, otherAt, result, at, Math.min(width, Math.min(from.length - otherAt, part.length - at)));
        return result;
    }

    private byte[] inserted(byte[] part, byte[] from) {
        if (from == null || otherAt < 0 || otherAt >= from.length || part.length + width > LENGTH_MAX) {
            return part;
        }
        final int length = Math.min(width, from.length - otherAt);
        final byte[] result = new byte[part.length + length];
        System.arraycopy(part, 0, result, 0, at);
        System.arraycopy(from, otherAt, result, at, length);
        System.arraycopy(part, at, result, at + length, part.length - at);
        return result;
    }

    private byte[] deleted(byte[] part) {
        final int end = Math.min(part.length, at + width);
        final byte[] result = new byte[part.length - (end - at)];
        System.arraycopy(part, 0, result, 0, at);
        System.arraycopy(part, end, result, at, part.length - end);
        return result;
    }
}
