package org.kvmdb.tools.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FigureTest {

    @TempDir
    private Path directory;

    @Test
    void shouldTakeTheMedianOfTheRatiosWhenRoundsDiffer() {
        Series series = new Series();
        series.add(10, 5);
        series.add(900, 300);
        series.add(8, 2);
        Figure figure = series.figure("f", "what", "ns", "peer", Figure.Aim.atMost(3));
        assertEquals(3, figure.ratio());
        assertEquals(10, figure.value());
        assertEquals(5, figure.peerValue());
        assertEquals("met", figure.facts().asMap().get("met"));
        assertEquals(2.5, Series.median(List.of(1.0, 2.0, 3.0, 4.0)));
    }

    @Test
    void shouldSayMissedWhenTheRatioIsOnTheWrongSide() {
        Series series = new Series();
        series.add(96, 100);
        Map<String, Object> facts = series.figure("f", "w", "", "p", Figure.Aim.atLeast(0.97)).facts().asMap();
        assertEquals("missed", facts.get("met"));
        assertEquals("at least 0.97", facts.get("aim"));
        assertEquals("", series.figure("f", "w", "", "p", Figure.Aim.NONE).facts().asMap().get("met"));
    }

    @Test
    void shouldRepeatTheInputWhenMoreIsAskedFor() throws Exception {
        Path input = Files.write(directory.resolve("input"), new byte[] {1, 2, 3});
        BenchContext context = new BenchContext(directory, input, 1, 1, line -> {});
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = context.data(arena, 8);
            byte[] expected = {1, 2, 3, 1, 2, 3, 1, 2};
            assertTrue(data.mismatch(MemorySegment.ofArray(expected)) < 0);
            assertEquals((byte) 2, context.data(arena, 2).get(ValueLayout.JAVA_BYTE, 1));
        }
    }
}
