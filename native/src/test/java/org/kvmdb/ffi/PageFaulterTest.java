package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PageFaulterTest {

    @ParameterizedTest
    @CsvSource({
        "1, 38, CONFIG_USERFAULTFD",
        "1, 1, seccomp",
        "1, 22, 5.11",
        "1, 24, ulimit -n",
        "1, 13, userfaultfd(2)",
        "2, 1, Linux 5.11 or newer",
        "3, 0, liblz4-1",
        "4, 16384, 16384 bytes",
        "99, 7, code 99"
    })
    void shouldSayInOneSentenceWhatLacksAndWhatHelps(int platform, long detail, String remedy) {
        final String sentence = PageFaulter.describe(platform, detail);
        assertTrue(sentence.contains(remedy), sentence);
        assertFalse(sentence.contains("\n"), sentence);
        assertFalse(sentence.endsWith("."), sentence);
    }

    @Test
    void shouldBeInstalledOnceInstalled() {
        PageFaulter.install();
        PageFaulter.install();
        assertTrue(PageFaulter.isInstalled());
    }

    @Test
    void shouldHaveAWordForEveryCauseOfABadPage() {
        for (int cause = BadPage.READ; cause <= BadPage.SPILL; cause++) {
            final String words = new BadPage(1, 2, 0, cause, Errno.EIO, 3).describe();
            assertFalse(words.startsWith("cause "), words);
        }
        assertEquals("cause 13", new BadPage(1, 2, 0, 13, 0, 3).describe());
    }
}
