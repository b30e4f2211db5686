package org.kvmdb.tools;

import java.util.List;
import org.kvmdb.control.Reply;
import org.kvmdb.control.Values;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "gc",
        mixinStandardHelpOptions = true,
        description = {
            "Make the file of a store small: free what was deleted, clean segments, give the space back.",
            "",
            "A store frees and cleans by itself as it needs room; this is for who wants the disk space now. Commits go on"
                + " meanwhile."
        },
        footer = {"%nExamples:", "  kvmdb gc /data/store", "  kvmdb gc /data/store --dead 2"})
final class GcCommand extends LiveCommand {

    private static final int PERCENT = 100;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--dead",
            paramLabel = "PERCENT",
            defaultValue = "5",
            description = "How much of the segments in use may stay dead (default: ${DEFAULT-VALUE}).")
    private int deadPercent;

    @Override
    void validate() {
        if (deadPercent < 0 || deadPercent > PERCENT) {
            throw new ParameterException(spec.commandLine(), "a percentage lies between 0 and 100: " + deadPercent);
        }
    }

    @Override
    String operation() {
        return "gc";
    }

    @Override
    List<String> arguments() {
        return List.of(Integer.toString(deadPercent));
    }

    @Override
    void print(Reply reply, Output output) {
        Values values = reply.facts();
        output.print(new Facts()
                .text("store", "store", directory())
                .size("on disk before", "fileBytesBefore", values.number("fileBytesBefore"))
                .size("on disk", "fileBytes", values.number("fileBytes"))
                .size("dead in segments in use before", "deadBytesBefore", values.number("deadBytesBefore"))
                .size("dead in segments in use", "deadBytes", values.number("deadBytes"))
                .size("live", "liveBytes", values.number("liveBytes")));
    }
}
