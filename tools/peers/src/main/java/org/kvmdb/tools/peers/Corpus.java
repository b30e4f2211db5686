package org.kvmdb.tools.peers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Predicate;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;

/**
 * Real text for the pages: the JDK's own sources, or its class files where those are not installed. Taken from
 * all over them, so that every package is in it.
 *
 * @param name where it is from
 * @param compression bytes of a page for each byte of its LZ4, all of them
 */
record Corpus(Path file, String name, double compression) {

    private static final int BYTES = 16 << 20;
    private static final int STRIPES = 64;
    private static final String TABLES = "jdk.localedata/";

    static Corpus make(Path file) throws IOException {
        Path lib = Path.of(System.getProperty("java.home"), "lib");
        Path sources = lib.resolve("src.zip");
        byte[] texts = Files.isRegularFile(sources) ? fromZip(sources) : fromFile(lib.resolve("modules"));
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(texts);
        }
        String name = Files.isRegularFile(sources) ? "the JDK's src.zip" : "the JDK's lib/modules";
        return new Corpus(file, name, compression(texts));
    }

    /** Half of it from the tables of locales, which are more regular than programs: together they are about 2.5 : 1. */
    private static byte[] fromZip(Path zip) throws IOException {
        byte[] tables = fromZip(zip, name -> name.startsWith(TABLES));
        byte[] programs = fromZip(zip, name -> !name.startsWith(TABLES));
        byte[] texts = Arrays.copyOf(tables, BYTES);
        System.arraycopy(programs, 0, texts, BYTES / 2, BYTES / 2);
        return texts;
    }

    /** Every so many bytes of those files, one behind the other. */
    private static byte[] fromZip(Path zip, Predicate<String> wanted) throws IOException {
        long total = 0;
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(zip))) {
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                total += wanted.test(entry.getName()) ? in.transferTo(OutputStream.nullOutputStream()) : 0;
            }
        }
        Stripes stripes = new Stripes(total, BYTES / 2);
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(zip))) {
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                if (wanted.test(entry.getName())) {
                    stripes.takeAll(in);
                }
            }
        }
        return stripes.taken();
    }

    private static byte[] fromFile(Path file) throws IOException {
        Stripes stripes = new Stripes(Files.size(file), BYTES);
        try (InputStream in = Files.newInputStream(file)) {
            stripes.takeAll(in);
        }
        return stripes.taken();
    }

    /** Takes stretches at equal distances out of a long input. */
    private static final class Stripes {

        private final byte[] taken;
        private final byte[] buffer = new byte[64 << 10];
        private final double share;
        private final long strideBytes;
        private long position;
        private int filled;

        Stripes(long totalBytes, int wantedBytes) {
            taken = new byte[wantedBytes];
            strideBytes = Math.max(totalBytes / STRIPES, 1);
            share = Math.min((double) wantedBytes / totalBytes, 1);
        }

        void takeAll(InputStream in) throws IOException {
            for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                for (int i = 0; i < count && filled < taken.length; i++, position++) {
                    if (position % strideBytes < share * strideBytes + 1) {
                        taken[filled++] = buffer[i];
                    }
                }
            }
        }

        byte[] taken() {
            if (filled < taken.length / 2) {
                throw new IllegalStateException("too little text: " + filled + " bytes");
            }
            for (int at = filled; at < taken.length; at++) {
                taken[at] = taken[at - filled];
            }
            return taken;
        }
    }

    private static double compression(byte[] texts) {
        LZ4Compressor compressor = LZ4Factory.fastestInstance().fastCompressor();
        byte[] block = new byte[compressor.maxCompressedLength(PageSource.PAGE_BYTES)];
        long compressed = 0;
        for (int page = 0; page < texts.length; page += PageSource.PAGE_BYTES) {
            int length = compressor.compress(texts, page, PageSource.PAGE_BYTES, block, 0);
            compressed += Math.min(length, PageSource.PAGE_BYTES);
        }
        return (double) texts.length / compressed;
    }
}
