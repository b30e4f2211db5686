package org.kvmdb.crashtest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.kvmdb.journal.simulation.Finding;

/**
 * Makes findings: what was wrong in words, the command that repeats it, and the store kept for that.
 *
 * @param keepIn where stores are kept, each in a directory of its own
 * @param classPath where the classes are, besides the class path of this process; mostly empty
 */
record Findings(Subject subject, Path keepIn, String classPath) {

    private static final int FRAMES_SHOWN = 6;

    /**
     * Of a store that is not as it must be.
     *
     * @param name of the directory in which it is kept
     * @param said by the workload until then
     */
    Finding of(String name, String how, Recovered recovered, Throwable thrown, byte[] image, List<String> said) {
        Path directory = keepIn.resolve("%s-%d-%s".formatted(simpleName(), subject.seed(), name));
        KeptImage.write(directory, image, recovered);
        return new Finding(
                "%s%nafter %s%nthe workload had said: %s%nthe store is kept in %s"
                        .formatted(told(thrown), how, recovered, directory),
                command() + " --image " + directory,
                String.join("\n", said));
    }

    /** Of a store that was kept. */
    Finding ofKept(Path image, Throwable thrown) {
        return new Finding(
                "%s%nthe workload had said: %s".formatted(told(thrown), KeptImage.marks(image)),
                command() + " --image " + image,
                "");
    }

    /** Of a workload that failed though nothing else did. */
    Finding ofWorkload(Throwable thrown, long steps) {
        return new Finding(
                "the workload itself fails, where no device does: " + told(thrown),
                "%s --seed %d --steps %d".formatted(command(), subject.seed(), steps),
                "");
    }

    private String simpleName() {
        String name = subject.workload().getClass().getSimpleName();
        return name.isEmpty() ? "workload" : name;
    }

    private String command() {
        return "kvmdb crashtest run --workload %s --checker %s"
                .formatted(
                        subject.workload().getClass().getName(),
                        subject.checker().getClass().getName())
                + (classPath.isEmpty() ? "" : " --class-path " + classPath);
    }

    /** The message alone of what a checker says; with where it came from when it is something else. */
    static String told(Throwable thrown) {
        if (thrown instanceof AssertionError && thrown.getMessage() != null) {
            return thrown.getMessage();
        }
        StringBuilder text = new StringBuilder(thrown.toString());
        Arrays.stream(thrown.getStackTrace())
                .limit(FRAMES_SHOWN)
                .forEach(frame -> text.append("\n    at ").append(frame));
        return text.toString();
    }
}
