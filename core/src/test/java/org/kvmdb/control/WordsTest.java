package org.kvmdb.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WordsTest {

    @Property
    void shouldReadWhatItWrote(@ForAll String text) {
        Assume.that(text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE));
        final String word = Words.encode(text);
        assertEquals(text, Words.decode(word));
        assertTrue(word.chars().allMatch(c -> Words.isPrintable(c) && c != '='), word);
    }

    @Property
    void shouldSplitWhatItJoined(@ForAll List<@net.jqwik.api.constraints.StringLength(max = 20) String> texts) {
        Assume.that(!texts.isEmpty());
        Assume.that(texts.stream()
                .flatMapToInt(String::codePoints)
                .noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE));
        final String line = String.join(" ", texts.stream().map(Words::encode).toList());
        assertEquals(texts, Words.decodeAll(Words.split(line)));
    }

    @Test
    void shouldBeReadableWhenTheTextIsAName() {
        assertEquals("orders-2026.v1", Words.encode("orders-2026.v1"));
        assertEquals("a%20b%25%3D%0A%C3%B6", Words.encode("a b%=\nö"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "%4", "a%", "%zz", "%-1", "%ff", "%C3", "%C0%80", "%ED%A0%80"})
    void shouldRefuseWhatItCannotHaveWritten(String word) {
        assertThrows(IllegalArgumentException.class, () -> Words.decode(word));
    }
}
