package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Golden: a constant of the format that changes makes stores unreadable that were written before. */
class DescriptorsTest {

    private static final List<Class<?>> DESCRIPTORS = List.of(
            SuperblockDescriptor.class, BatchDescriptor.class, RecordDescriptor.class, MetadataRootDescriptor.class,
            CatalogDescriptor.class, SnapshotTailDescriptor.class, StreamChunkDescriptor.class,
            StreamBeginDescriptor.class, StreamRecordDescriptor.class, StreamEndDescriptor.class);

    @Test
    void shouldKeepEverySizeAndOffset() throws IOException, IllegalAccessException {
        final StringBuilder actual = new StringBuilder();
        for (Class<?> descriptor : DESCRIPTORS) {
            for (Field field : descriptor.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers()) && field.getType().isPrimitive()) {
                    field.setAccessible(true);
                    actual.append("%s.%s = %s%n".formatted(descriptor.getSimpleName(), field.getName(), field.get(null)));
                }
            }
        }
        for (SegmentState state : SegmentState.values()) {
            actual.append("SegmentState.%s = %d%n".formatted(state, state.ordinal()));
        }
        try (InputStream golden = DescriptorsTest.class.getResourceAsStream("descriptors.golden")) {
            assertEquals(new String(golden.readAllBytes(), StandardCharsets.UTF_8), actual.toString());
        }
    }
}
