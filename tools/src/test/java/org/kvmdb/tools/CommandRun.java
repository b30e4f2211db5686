package org.kvmdb.tools;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;

/** One run of the command within the test's process. */
public record CommandRun(int exitCode, String out, String err) {

    public static CommandRun of(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments[i].toString();
        }
        int exitCode = Main.run(new PrintWriter(out), new PrintWriter(err), words);
        return new CommandRun(exitCode, out.toString(), err.toString());
    }

    public Map<String, Object> json() throws IOException {
        return JSON.std.mapFrom(out);
    }

    /** A single sentence, as every failure is to be told. */
    public boolean isOneSentence() {
        return out.isEmpty() && err.startsWith("kvmdb: ") && err.strip().lines().count() == 1;
    }
}
