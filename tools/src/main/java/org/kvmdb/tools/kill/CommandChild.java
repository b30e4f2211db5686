package org.kvmdb.tools.kill;

import java.io.PrintWriter;
import org.kvmdb.tools.Main;

/** A child that runs one {@code kvmdb} command, says so when it is done, and then waits. */
public final class CommandChild {

    /** Stands for the store's directory among the words of the command. */
    static final String STORE = "STORE";

    private static final long POLL_MILLIS = 1;

    private CommandChild() {}

    public static void main(String[] arguments) {
        KillChild.run(arguments, CommandChild::run);
    }

    private static void run(KillChild child) throws InterruptedException {
        String[] words = child.arguments().stream()
                .map(word -> word.equals(STORE) ? child.store().toString() : word)
                .toArray(String[]::new);
        child.opening();
        int code = Main.run(new PrintWriter(System.out, true), new PrintWriter(System.out, true), words);
        KillFailure.check(code == 0, "kvmdb %s ended with %d", String.join(" ", words), code);
        child.working();
        child.advance();
        while (!child.isStopAsked()) {
            Thread.sleep(POLL_MILLIS);
        }
        child.closing();
    }
}
