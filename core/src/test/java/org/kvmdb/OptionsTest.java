package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.time.InstantSource;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.kvmdb.journal.JournalOptions;

/** Each method of options that changes one of them names all others: one in the wrong place would compile. */
class OptionsTest {

    static Stream<Record> options() {
        return Stream.of(StoreOptions.defaults(), JournalOptions.defaults());
    }

    @ParameterizedTest
    @MethodSource("options")
    void shouldChangeTheOptionThatIsNamedAndNoOther(Record options) throws ReflectiveOperationException {
        for (RecordComponent named : options.getClass().getRecordComponents()) {
            final Object value = otherThan(valueOf(named, options));
            final String method = "with" + Character.toUpperCase(named.getName().charAt(0)) + named.getName().substring(1);
            final Object changed = options.getClass().getMethod(method, named.getType()).invoke(options, value);
            for (RecordComponent each : options.getClass().getRecordComponents()) {
                final Object expected = each.getName().equals(named.getName()) ? value : valueOf(each, options);
                assertEquals(expected, valueOf(each, changed), () -> method + " and " + each.getName());
            }
        }
    }

    static Stream<Arguments> refused() {
        final StoreOptions options = StoreOptions.defaults();
        return Stream.of(
                refused("cacheSizeBytes must be from 4 MiB to 2 TiB: 4194303", () -> options.withCacheSizeBytes(4194303)),
                refused(
                        "cacheSizeBytes must be from 4 MiB to 2 TiB: 2199023255553",
                        () -> options.withCacheSizeBytes((2L << 40) + 1)),
                refused("maxSizeBytes must be at least eight segments: 1", () -> options.withMaxSizeBytes(1)),
                refused(
                        "segmentSizeBytes must be a power of two from 256 KiB to 16 MiB: 262145",
                        () -> options.withSegmentSizeBytes(262145)),
                refused("checkpointRecords must be positive: 0", () -> options.withCheckpointRecords(0)),
                refused(
                        "compressedTierShare must be from 0 to 0.9375: 0.94",
                        () -> options.withCompressedTierShare(0.94)));
    }

    private static Arguments refused(String sentence, Executable change) {
        return Arguments.of(sentence, change);
    }

    @ParameterizedTest
    @MethodSource("refused")
    void shouldSayWhatAnOptionMayBe(String sentence, Executable change) {
        assertEquals(sentence, assertThrows(IllegalArgumentException.class, change).getMessage());
    }

    private static Object valueOf(RecordComponent component, Object options) throws ReflectiveOperationException {
        return component.getAccessor().invoke(options);
    }

    private static Object otherThan(Object value) {
        final Object other = switch (value) {
            case Integer number -> number / 2;
            case Long number -> number / 2;
            case Double number -> number / 2;
            case Boolean wanted -> !wanted;
            case RandomGenerator _ -> new SplittableRandom(1);
            case InstantSource _ -> InstantSource.fixed(Instant.EPOCH);
            default -> throw new AssertionError("no other value for " + value);
        };
        assertNotEquals(value, other);
        return other;
    }
}
