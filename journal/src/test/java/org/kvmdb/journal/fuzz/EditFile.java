package org.kvmdb.journal.fuzz;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Programs of edits as text: an edit a line, an empty line between programs, comments behind {@code #}. */
final class EditFile {

    private EditFile() {}

    /** The programs that once showed a bug, of a target; they are resources of the module that it lies in. */
    static List<List<Edit>> regressions(String target) {
        try (InputStream in = EditFile.class.getResourceAsStream(target + ".edits")) {
            return in == null ? List.of() : read(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static List<List<Edit>> read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return read(in);
        }
    }

    private static List<List<Edit>> read(InputStream in) throws IOException {
        final List<List<Edit>> programs = new ArrayList<>();
        List<Edit> program = new ArrayList<>();
        final BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.isBlank() && !program.isEmpty()) {
                programs.add(program);
                program = new ArrayList<>();
            } else if (!line.isBlank() && !line.startsWith("#")) {
                program.add(Edit.ofLine(line));
            }
        }
        if (!program.isEmpty()) {
            programs.add(program);
        }
        return programs;
    }

    static void write(Path file, List<List<Edit>> programs) throws IOException {
        Files.writeString(file, programs.stream()
                .filter(program -> !program.isEmpty())
                .map(EditFile::text)
                .collect(Collectors.joining("\n")));
    }

    static String text(List<Edit> program) {
        return program.stream().map(edit -> edit.toLine() + "\n").collect(Collectors.joining());
    }
}
