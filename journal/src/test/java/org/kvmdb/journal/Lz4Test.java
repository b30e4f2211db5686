package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class Lz4Test {

    /** A process that is killed must not leave it behind. */
    @Test
    void shouldHaveNoFileOfTheNativeLibraryOnceItIsLoaded() throws IOException {
        byte[] data = new byte[4096];
        byte[] block = Lz4.compressor().compress(data);
        assertEquals(data.length, Lz4.decompressor().decompress(block, data.length).length);
        List<String> mappings;
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1)) {
            mappings = lines.filter(line -> line.contains("liblz4-java-")).toList();
        }
        assertFalse(mappings.isEmpty(), "the native library is loaded");
        for (String mapping : mappings) {
            assertFalse(Files.exists(Path.of(mapping.substring(mapping.indexOf('/')))), mapping);
        }
    }
}
