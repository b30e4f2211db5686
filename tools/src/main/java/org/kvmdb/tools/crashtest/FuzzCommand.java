package org.kvmdb.tools.crashtest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.kvmdb.tools.ChildJvm;
import org.kvmdb.tools.CommandFailedException;
import org.kvmdb.tools.Durations;
import org.kvmdb.tools.Main;
import org.kvmdb.tools.TemporaryDirectory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Runs the fuzzer in a process of its own, with little memory: what a lying length allocates does not fit, and a crash of the
 * virtual machine is a finding, with the input that it came of.
 */
@Command(
        name = "fuzz",
        mixinStandardHelpOptions = true,
        description = {
            "Have hostile files, streams and messages read, for some minutes.",
            "",
            "Inputs are varied from valid ones, with checksums made right, towards code that was not run before. Exits with 1"
                    + " when something came of one but a typed refusal or what it says."
        },
        footer = {"%nExamples:", "  kvmdb fuzz --minutes 10", "  kvmdb fuzz --minutes 2 --target nodes --corpus /tmp/corpus"})
public final class FuzzCommand implements Callable<Integer> {

    private static final String CAMPAIGN = "fuzz";
    private static final String HEAP = "-Xmx384m";
    private static final String DIRECT = "-XX:MaxDirectMemorySize=96m";

    @Spec
    private CommandSpec spec;

    @Option(names = "--minutes", paramLabel = "N", required = true, description = "How long, shared among the targets.")
    private double minutes;

    @Option(names = "--target", paramLabel = "NAME", description = "Only that one (default: all).")
    private String target;

    @Option(names = "--seed", paramLabel = "S", description = "Of everything random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--corpus",
            paramLabel = "DIR",
            description = "Where inputs that ran new code are taken from and kept, for the next time.")
    private Path corpus;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where to work (default: the system's temporary directory).")
    private Path parentDirectory;

    FuzzCommand() {}

    @Override
    public Integer call() throws Exception {
        validate();
        final Path base = parentDirectory != null ? parentDirectory : Path.of(System.getProperty("java.io.tmpdir"));
        try (TemporaryDirectory directory = TemporaryDirectory.create(base, "kvmdb-fuzz-")) {
            final Path printed = directory.path().resolve("output");
            final int exit;
            try (ChildJvm child = ChildJvm.start(
                    printed, List.of(HEAP, DIRECT, "-XX:-OmitStackTraceInFastThrow", "-XX:ErrorFile=/dev/null"),
                    System.getProperty("java.class.path"), Main.class, arguments(directory.path()))) {
                exit = child.waitFor();
            }
            System.out.print(Files.readString(printed));
            if (exit > 1) {
                throw new CommandFailedException(
                        "the process that read hostile input ended with %d, while it read:%n%s"
                                .formatted(exit, current(directory.path())));
            }
            return exit;
        }
    }

    /** Before the process is started, in which it would be a campaign that broke down. */
    private void validate() {
        if (!(minutes > 0 && minutes <= Durations.MINUTES_MAX)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--minutes is more than 0 and at most %,d: %s".formatted(Durations.MINUTES_MAX, minutes));
        }
        CampaignRunner.checkOptions(
                CampaignRunner.campaigns().stream()
                        .filter(campaign -> campaign.name().equals(CAMPAIGN))
                        .toList(),
                options(),
                spec.commandLine());
    }

    private Map<String, String> options() {
        final Map<String, String> options = new LinkedHashMap<>();
        options.put("minutes", String.valueOf(minutes));
        if (target != null) {
            options.put("target", target);
        }
        if (corpus != null) {
            options.put("corpus", corpus.toAbsolutePath().toString());
        }
        return options;
    }

    private List<String> arguments(Path directory) {
        final List<String> arguments = new ArrayList<>(List.of(
                "crashtest", "--only", CAMPAIGN, "--seed", String.valueOf(seed), "--dir", directory.toString(),
                "--option", "current=" + directory));
        options().forEach((key, value) -> arguments.addAll(List.of("--option", key + "=" + value)));
        return arguments;
    }

    /** What each target was reading. */
    private static String current(Path directory) throws IOException {
        final StringBuilder result = new StringBuilder();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files.filter(path -> path.toString().endsWith(".current"))::iterator) {
                final String text = Files.readString(file, StandardCharsets.UTF_8);
                final int end = text.indexOf('\0');
                result.append(file.getFileName()).append('\n').append(end < 0 ? text : text.substring(0, end));
            }
        }
        return result.toString();
    }
}
