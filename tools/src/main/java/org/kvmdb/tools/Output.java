package org.kvmdb.tools;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code --json}, and the way to standard output that honours it. */
public final class Output {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    public boolean isJson() {
        return json;
    }

    /** Prints all of it as JSON, or the text. */
    public void print(Facts facts, String text) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(asJson(facts));
        } else {
            out.print(text);
        }
        flush(out);
    }

    public void print(Facts facts) {
        print(facts, facts.asText());
    }

    /** A line for people as things go on; nothing when the output is for programs. */
    public void say(String format, Object... arguments) {
        if (!json) {
            PrintWriter out = spec.commandLine().getOut();
            out.println(arguments.length == 0 ? format : format.formatted(arguments));
            flush(out);
        }
    }

    /** A writer swallows what goes wrong, so that a full disk would look like a success, and a closed pipe like a reader. */
    static void flush(PrintWriter out) {
        if (out.checkError()) {
            if (out instanceof StandardOutput output && ErrorSentences.isBrokenPipe(output.failure())) {
                throw new UncheckedIOException(output.failure());
            }
            throw new CommandFailedException("standard output cannot be written: it is closed, or its disk is full");
        }
    }

    static String asJson(Facts facts) {
        try {
            return JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT, JSON.Feature.WRITE_NULL_PROPERTIES)
                    .asString(facts.asMap());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
