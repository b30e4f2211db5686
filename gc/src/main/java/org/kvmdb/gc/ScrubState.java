package org.kvmdb.gc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The state of an interrupted scrub, in a small text file beside the store's data: lines of fields separated by tabs,
 * and a checksum in the last line. A new file replaces the old one by renaming, so the file is complete or absent. If
 * it is lost or damaged, blocks are read again; nothing else depends on it, so it is not in the catalog.
 *
 * @param result result so far
 * @param places how far each version has been read
 */
record ScrubState(ScrubResult result, List<ScrubPlan.Place> places) {

    private static final String FIRST_LINE = "kvmdb scrub 1";
    private static final String TAB = "\t";

    /** The state that was saved; null when there is none that can be used. */
    static ScrubState load(Path file) {
        final List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            return unusable(file, e);
        }
        try {
            final List<String> body = lines.subList(0, lines.size() - 1);
            return body.getFirst().equals(FIRST_LINE) && checksum(body).equals(lines.getLast())
                    ? parse(body.subList(1, body.size()))
                    : unusable(file, null);
        } catch (RuntimeException e) {
            return unusable(file, e);
        }
    }

    private static ScrubState unusable(Path file, Exception cause) {
        System.getLogger(ScrubState.class.getName())
                .log(System.Logger.Level.DEBUG, "a scrub begins anew: " + file + " cannot be used", cause);
        return null;
    }

    /** Saves it; where that fails, an interrupted scrub goes on where it was saved before. */
    void save(Path file) {
        final List<String> lines = new ArrayList<>(List.of(FIRST_LINE));
        lines.add(line(
                "sum", result.beganMillis(), result.pages(), result.nodes(), result.bytes(), result.movedBlocks(),
                result.defectCount()));
        for (ScrubDefect defect : result.defects()) {
            final List<Object> fields = new ArrayList<>(List.of(
                    "bad", defect.isNode(), defect.volume(), defect.lpn(), defect.pages(), defect.ppn(),
                    defect.position(), defect.fact()));
            fields.addAll(defect.holders());
            lines.add(line(fields.toArray()));
        }
        for (ScrubPlan.Place place : places) {
            final ScrubPlan.Member member = place.member();
            lines.add(line(
                    "version", member.id(), member.parentId(), member.volumeId(), member.family(), member.guid(),
                    member.isDeleted(), place.settled()));
        }
        lines.add(checksum(lines));
        final Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.write(fresh, lines);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            System.getLogger(ScrubState.class.getName())
                    .log(System.Logger.Level.WARNING, "how far a scrub is could not be saved: " + file, e);
        }
    }

    /** A field holds neither tabs nor ends of lines; names of volumes may. */
    private static String line(Object... fields) {
        return String.join(
                TAB,
                Arrays.stream(fields)
                        .map(field -> field.toString().replaceAll("[\\t\\n\\r]", " "))
                        .toList());
    }

    private static String checksum(Collection<String> lines) {
        final CRC32C crc = new CRC32C();
        crc.update(String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(crc.getValue());
    }

    private static ScrubState parse(List<String> lines) {
        final List<ScrubDefect> defects = new ArrayList<>();
        final List<ScrubPlan.Place> places = new ArrayList<>();
        String[] sum = null;
        for (String line : lines) {
            final String[] f = line.split(TAB, -1);
            switch (f[0]) {
                case "sum" -> sum = f;
                case "bad" -> defects.add(new ScrubDefect(
                        Boolean.parseBoolean(f[1]), f[2], number(f[3]), number(f[4]), number(f[5]), number(f[6]), f[7],
                        List.of(f).subList(8, f.length)));
                case "version" -> places.add(new ScrubPlan.Place(
                        new ScrubPlan.Member(
                                Integer.parseInt(f[1]), Integer.parseInt(f[2]), Integer.parseInt(f[3]), number(f[4]),
                                number(f[5]), Boolean.parseBoolean(f[6])),
                        number(f[7])));
                default -> throw new IllegalArgumentException(f[0]);
            }
        }
        final ScrubResult result = new ScrubResult(
                false, true, number(sum[1]), number(sum[2]), number(sum[3]), number(sum[4]), number(sum[5]), defects,
                number(sum[6]));
        return new ScrubState(result, places);
    }

    private static long number(String field) {
        return Long.parseLong(field);
    }
}
