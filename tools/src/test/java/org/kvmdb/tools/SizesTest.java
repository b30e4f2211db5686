package org.kvmdb.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizesTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "4096, 4096",
        "4096B, 4096",
        "4K, 4096",
        "4k, 4096",
        "4KB, 4096",
        "4KiB, 4096",
        "1.5 GiB, 1610612736",
        "64G, 68719476736",
        "2T, 2199023255552",
        "7E, 8070450532247928832",
        "' 16M ', 16777216"
    })
    void shouldParseWhenASizeIsWrittenAsPeopleDo(String text, long bytes) {
        assertEquals(bytes, Sizes.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "-1", "1Q", "1.G", "4 4K", "0x10", "1e3", "4Kb4", "one"})
    void shouldRefuseWhenItIsNoSize(String text) {
        assertThrows(IllegalArgumentException.class, () -> Sizes.parse(text));
    }

    @Test
    void shouldSayWhyWhenASizeIsTooLargeOrBroken() {
        assertTrue(message("8E").contains("not less than 8 EiB"));
        assertTrue(message("9999999999999999999").contains("not less than 8 EiB"));
        assertTrue(message("0.3K").contains("whole number of bytes"));
    }

    private static String message(String text) {
        return assertThrows(IllegalArgumentException.class, () -> Sizes.parse(text)).getMessage();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1 KiB",
        "1536, 1.5 KiB",
        "4096, 4 KiB",
        "145959730, 139 MiB",
        "1048064, 1 MiB",
        "68719476736, 64 GiB",
        "9223372036854775807, 8 EiB",
        "-2048, -2 KiB"
    })
    void shouldFormatWithThreeDigitsWhenPrinted(long bytes, String text) {
        assertEquals(text, Sizes.format(bytes));
    }

    @Test
    void shouldBeCloseWhenAFormattedSizeIsParsedAgain() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 10_000; i++) {
            long bytes = random.nextLong() >>> random.nextInt(1, 62);
            long again = parseRounded(Sizes.format(bytes));
            assertTrue(Math.abs(again - bytes) <= bytes / 150 + 1, () -> bytes + " as " + Sizes.format(bytes));
        }
    }

    private static long parseRounded(String text) {
        int space = text.indexOf(' ');
        double unit = text.endsWith(" B") ? 1 : Sizes.parse("1" + text.charAt(space + 1));
        return (long) (Double.parseDouble(text.substring(0, space)) * unit);
    }
}
