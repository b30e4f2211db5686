package org.kvmdb.crashtest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A store as a crash left it, kept in a directory: the store's file, which every command of {@code kvmdb} can open, and beside
 * it what the workload had said by then. A finding is repeated with it, also where threads make every run another one.
 */
final class KeptImage {

    private static final String DATA_FILE = "store.kvmdb";
    private static final String MARKS_FILE = "marks.txt";

    private KeptImage() {}

    /** Writes it, over what was there. */
    static void write(Path directory, byte[] image, Recovered recovered) {
        try {
            Files.createDirectories(directory);
            Files.write(directory.resolve(DATA_FILE), image);
            Files.write(directory.resolve(MARKS_FILE), marks(recovered));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> marks(Recovered recovered) {
        List<String> lines = new ArrayList<>(List.of("seed " + recovered.seed()));
        for (int lane = 0; lane < CrashContext.LANES; lane++) {
            if (lane == 0 || recovered.issued(lane) != 0 || recovered.acknowledged(lane) != 0) {
                lines.add("lane %d issued %d acknowledged %d"
                        .formatted(lane, recovered.issued(lane), recovered.acknowledged(lane)));
            }
        }
        return lines;
    }

    static Recovered marks(Path directory) {
        long seed = 0;
        long[] issued = new long[CrashContext.LANES];
        long[] acknowledged = new long[CrashContext.LANES];
        Path file = directory.resolve(MARKS_FILE);
        try {
            for (String line : Files.readAllLines(file)) {
                long[] numbers = Arrays.stream(line.split(" "))
                        .filter(word -> word.matches("-?\\d+"))
                        .mapToLong(Long::parseLong)
                        .toArray();
                if (line.startsWith("seed ")) {
                    seed = numbers[0];
                } else {
                    issued[(int) numbers[0]] = numbers[1];
                    acknowledged[(int) numbers[0]] = numbers[2];
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            throw new IllegalArgumentException("not the marks of a crash test: " + file, e);
        }
        return new Recovered(seed, issued, acknowledged);
    }

    /** Checks it again, on a copy: to recover a store changes it. Null when all is well, else what was thrown. */
    static Throwable failure(Subject subject, Path directory, Path empty) throws IOException {
        Files.copy(directory.resolve(DATA_FILE), empty.resolve(DATA_FILE));
        return subject.failure(empty, marks(directory));
    }
}
