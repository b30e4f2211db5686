package org.kvmdb.control;

import java.io.ByteArrayOutputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Lines of the protocol: words with one space between them, in ASCII. Every byte of a word's UTF-8 that is not printable,
 * and {@code %}, {@code =} and the space, is written as {@code %} and two hexadecimal digits.
 */
final class Words {

    private static final int FIRST_PRINTABLE = 0x21;
    private static final int LAST_PRINTABLE = 0x7e;

    private Words() {}

    static boolean isPrintable(int character) {
        return character >= FIRST_PRINTABLE && character <= LAST_PRINTABLE;
    }

    static String encode(String text) {
        final StringBuilder word = new StringBuilder(text.length());
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (isPrintable(b) && b != '%' && b != '=') {
                word.append((char) b);
            } else {
                word.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
            }
        }
        return word.toString();
    }

    /** @throws IllegalArgumentException when the word is not one that {@link #encode} could have made */
    static String decode(String word) {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream(word.length());
        for (int i = 0; i < word.length(); i++) {
            final char c = word.charAt(i);
            if (c != '%') {
                bytes.write(c);
            } else if (i + 2 < word.length()) {
                bytes.write(HexFormat.fromHexDigits(word, i + 1, i + 3));
                i += 2;
            } else {
                throw new IllegalArgumentException("a percent sign without two digits");
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("not UTF-8", e);
        }
    }

    /** The words of a line, still encoded. */
    static List<String> split(String line) {
        return List.of(line.split(" ", -1));
    }

    static List<String> decodeAll(List<String> words) {
        final List<String> texts = new ArrayList<>(words.size());
        words.forEach(word -> texts.add(decode(word)));
        return texts;
    }
}
