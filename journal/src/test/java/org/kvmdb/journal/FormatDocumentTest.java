package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.Ppn;

/** {@code docs/format.md} and {@code docs/stream-format.md} say what the descriptors say. */
class FormatDocumentTest {

    private static final String LAYOUT = "<!-- layout: ";
    private static final String OFFSET = "_OFFSET";

    /** A table behind its marker: descriptor, the constant that is its length or null, rows of offset, size, field. */
    private record Table(String descriptor, String length, List<String[]> rows) {}

    private static List<String> document() throws IOException {
        final List<String> lines = new ArrayList<>(Files.readAllLines(Path.of("..", "docs", "format.md")));
        lines.addAll(Files.readAllLines(Path.of("..", "docs", "stream-format.md")));
        return lines;
    }

    private static List<String[]> rowsBehind(List<String> lines, int marker) {
        final List<String[]> rows = new ArrayList<>();
        for (int i = marker + 3; i < lines.size() && lines.get(i).startsWith("|"); i++) {
            final String[] cells = lines.get(i).split("\\|");
            rows.add(new String[] {cells[1].strip(), cells[2].strip(), cells[3].strip()});
        }
        assertTrue(!rows.isEmpty(), () -> "no table behind line " + (marker + 1));
        return rows;
    }

    private static List<Table> tables() throws IOException {
        final List<String> lines = document();
        final List<Table> result = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith(LAYOUT)) {
                final String[] words = lines.get(i).substring(LAYOUT.length()).split(" ");
                result.add(new Table(words[0], words[1].equals("-->") ? null : words[1], rowsBehind(lines, i)));
            }
        }
        return result;
    }

    private static int constant(String descriptor, String name) {
        try {
            final Field field = Class.forName(descriptor).getDeclaredField(name);
            field.setAccessible(true);
            return field.getInt(null);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(descriptor + " has no " + name, e);
        }
    }

    @Test
    void shouldGiveTheOffsetsOfTheDescriptors() throws IOException {
        for (Table table : tables()) {
            for (String[] row : table.rows) {
                assertEquals(
                        constant(table.descriptor, row[2] + OFFSET), Integer.parseInt(row[0]),
                        () -> table.descriptor + " " + row[2]);
            }
        }
    }

    @Test
    void shouldTellOfEveryByteOfAStructure() throws IOException {
        for (Table table : tables()) {
            int next = 0;
            for (String[] row : table.rows) {
                assertEquals(next, Integer.parseInt(row[0]), () -> table.descriptor + " " + row[2]);
                next = row[1].equals("–") ? -1 : next + Integer.parseInt(row[1]);
            }
            assertEquals(
                    table.length == null ? -1 : constant(table.descriptor, table.length), next,
                    () -> "length of " + table.descriptor);
        }
    }

    @Test
    void shouldTellOfEveryFieldOfTheDescriptors() throws Exception {
        final Map<String, Set<String>> told = new HashMap<>();
        for (Table table : tables()) {
            told.computeIfAbsent(table.descriptor, d -> new TreeSet<>())
                    .addAll(table.rows.stream().map(row -> row[2]).toList());
        }
        assertEquals(11, told.size());
        for (Map.Entry<String, Set<String>> entry : told.entrySet()) {
            final Set<String> fields = Arrays.stream(Class.forName(entry.getKey()).getDeclaredFields())
                    .map(Field::getName)
                    .filter(name -> name.endsWith(OFFSET) && !name.equals("SEGMENTS_OFFSET"))
                    .map(name -> name.substring(0, name.length() - OFFSET.length()))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(fields, entry.getValue(), entry.getKey());
        }
    }

    @Test
    void shouldGiveTheBitsOfAPpn() throws IOException {
        final List<String> lines = document();
        int bits = 0;
        for (String[] row : rowsBehind(lines, lines.indexOf("<!-- bits: PPN -->"))) {
            final int width = constant(Ppn.class.getName(), row[2] + "_BITS");
            assertEquals(width, Integer.parseInt(row[1]), row[2]);
            bits += width;
            assertEquals(Long.SIZE - bits, Integer.parseInt(row[0]), row[2]);
        }
        assertEquals(Long.SIZE, bits);
    }

    @Test
    void shouldGiveMagicsAndPlaces() throws IOException {
        final String text = String.join("\n", document());
        final List<String> magics = List.of(
                bytes(SuperblockDescriptor.MAGIC), bytes(MetadataRootDescriptor.MAGIC), bytes(CatalogDescriptor.MAGIC),
                bytes(BatchDescriptor.MAGIC).substring(0, Integer.BYTES),
                bytes(StreamChunkDescriptor.MAGIC).substring(0, Integer.BYTES));
        magics.forEach(magic -> assertTrue(text.contains("| MAGIC | `" + magic + "` |"), magic));
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            final String row = "| %d | %d | superblock slot %d |"
                    .formatted(SuperblockDescriptor.slotOffset(slot), SuperblockDescriptor.LENGTH, slot);
            assertTrue(text.contains(row), row);
        }
        assertTrue(text.contains("| " + SuperblockDescriptor.SEGMENTS_OFFSET + " + s · S | S |"));
    }

    private static String bytes(long magic) {
        final byte[] bytes = new byte[Long.BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (magic >>> Byte.SIZE * i);
        }
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
