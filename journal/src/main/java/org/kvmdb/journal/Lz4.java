package org.kvmdb.journal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * The one way to LZ4. Its native library is copied to the directory of temporary files when it is loaded, and deleted when
 * the virtual machine ends in an orderly way; here it is deleted at once, so that processes that are killed leave nothing.
 */
public final class Lz4 {

    private static final Path MAPPINGS = Path.of("/proc/self/maps");
    private static final String LIBRARY = "liblz4-java-";

    private static final LZ4Factory FACTORY = load();

    private Lz4() {}

    public static LZ4Compressor compressor() {
        return FACTORY.fastCompressor();
    }

    public static LZ4SafeDecompressor decompressor() {
        return FACTORY.safeDecompressor();
    }

    private static LZ4Factory load() {
        final LZ4Factory factory = LZ4Factory.fastestInstance();
        deleteCopy();
        return factory;
    }

    /** The mapping keeps the inode. Where that cannot be done, the copy stays until the virtual machine ends. */
    private static void deleteCopy() {
        final Path directory = Path.of(System.getProperty("java.io.tmpdir"));
        // Directories may be named in any encoding, the copy is not.
        try (Stream<String> lines = Files.lines(MAPPINGS, StandardCharsets.ISO_8859_1)) {
            for (String name : (Iterable<String>) lines.map(Lz4::fileName).filter(Lz4::isCopy).distinct()::iterator) {
                Files.deleteIfExists(directory.resolve(name));
            }
        } catch (IOException | UncheckedIOException e) {
            return;
        }
    }

    private static String fileName(String mapping) {
        return mapping.substring(mapping.lastIndexOf('/') + 1);
    }

    private static boolean isCopy(String name) {
        return name.startsWith(LIBRARY) && name.endsWith(".so");
    }
}
