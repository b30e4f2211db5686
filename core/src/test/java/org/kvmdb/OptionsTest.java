package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.time.InstantSource;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
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
