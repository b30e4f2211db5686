package org.kvmdb.tools.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kvmdb.tools.CommandFailedException;

/** The C program that measures what a fault costs at the least; compiled when it is first needed. */
final class FaultFloor {

    private static final String SOURCE = "fault_floor.c";

    private final BenchContext context;
    private final int pages;
    private final Path program;

    FaultFloor(BenchContext context, int pages) throws IOException, InterruptedException {
        this.context = context;
        this.pages = pages;
        this.program = compile(context.directory());
    }

    private static Path compile(Path directory) throws IOException, InterruptedException {
        Path source = directory.resolve(SOURCE);
        Path program = directory.resolve("fault_floor");
        try (InputStream stream = FaultFloor.class.getResourceAsStream("/" + SOURCE)) {
            if (stream == null) {
                throw new CommandFailedException(SOURCE + " is missing from the jar");
            }
            Files.copy(stream, source, StandardCopyOption.REPLACE_EXISTING);
        }
        run(List.of(
                "gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", source.toString(), "-o", program.toString(),
                "-pthread", "-ldl"));
        return program;
    }

    /** Median nanoseconds by way of resolving. */
    Map<String, Double> measure() throws IOException, InterruptedException {
        String printed = run(List.of(
                program.toString(), context.input().toString(), context.directory().toString(), String.valueOf(pages)));
        Map<String, Double> nanos = new LinkedHashMap<>();
        printed.lines().map(line -> line.split(" ")).forEach(words -> nanos.put(words[0], Double.valueOf(words[1])));
        return nanos;
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new CommandFailedException(
                    "the fault benchmark needs " + command.getFirst() + ": " + e.getMessage(), e);
        }
        String printed = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new CommandFailedException(command.getFirst() + " failed: " + printed.strip());
        }
        return printed;
    }
}
