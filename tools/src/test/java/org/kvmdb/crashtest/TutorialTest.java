package org.kvmdb.crashtest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import shop.MendedShop;
import shop.ShopChecker;

/** The programs of docs/crash-testing.md are those that are compiled and run here. */
class TutorialTest {

    private static final Path SOURCES = Path.of("src/test/java");

    @Test
    void shouldHoldWhenTheShopIsMended() {
        CrashTest.of(new MendedShop(), new ShopChecker()).steps(8).states(100).faults(0).run().assertClean();
    }

    @Test
    void shouldBeWhatTheTutorialShows() throws IOException {
        String tutorial = Files.readString(Path.of("../docs/crash-testing.md"));
        assertContains(tutorial, Files.readString(SOURCES.resolve("shop/Shop.java")));
        assertContains(tutorial, Files.readString(SOURCES.resolve("shop/ShopChecker.java")));
        assertContains(tutorial, part("shop/MendedShop.java", "mended"));
        assertContains(tutorial, part("org/kvmdb/crashtest/CrashTestTest.java", "bank"));
    }

    private static void assertContains(String tutorial, String program) {
        assertTrue(tutorial.contains(program.stripTrailing()), () -> "docs/crash-testing.md lacks:\n" + program);
    }

    private static String part(String file, String name) throws IOException {
        String source = Files.readString(SOURCES.resolve(file));
        String begin = "// begin of " + name + "\n";
        int from = source.indexOf(begin) + begin.length();
        return source.substring(from, source.indexOf("// end of " + name, from)).stripIndent().stripTrailing();
    }
}
