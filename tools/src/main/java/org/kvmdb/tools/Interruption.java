package org.kvmdb.tools;

import java.io.Closeable;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C or a SIGTERM. A command that just ends by it says so. One that would leave something half done holds an object of
 * this class meanwhile: it goes on just until it next tells its {@link Progress}, fails there, and tidies up as it does after
 * any failure; the process waits for that.
 */
final class Interruption implements AutoCloseable {

    /** For the last commit of a large import, which nothing interrupts. */
    private static final long PATIENCE_MILLIS = TimeUnit.SECONDS.toMillis(10);

    private static final String SENTENCE = "interrupted";

    // Of the process, as signals are; it never goes on after one.

    private static volatile boolean requested;
    private static volatile boolean finished;
    private static volatile boolean quiet;
    /** What tidies up at present, or null. */
    private static volatile Thread owner;
    /** What it may be waiting for without an end, or null. */
    private static volatile Closeable input;
    /** How to go on, or empty. */
    private static volatile String advice = "";

    private Interruption() {
        owner = Thread.currentThread();
    }

    /** Tells the user when the process is interrupted, until the command is {@link #finish finished}. */
    static void listen(PrintWriter err) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(err), "interruption"));
    }

    /** The command is over; returns whether the process is ending already, by itself. */
    static boolean finish() {
        finished = true;
        return requested;
    }

    /** The way to end this command. */
    static void beQuiet() {
        quiet = true;
    }

    /** What to do after an interruption, as a part of a sentence. */
    static void advise(String whatToDo) {
        advice = "; " + whatToDo;
    }

    static Interruption awaited() {
        return new Interruption();
    }

    /** Closes that when it is requested, so that whoever waits for it does not wait on. */
    void closes(Closeable whatIsRead) {
        input = whatIsRead;
        check(); // requested before that, it had nothing to close
    }

    /** Whether the process ends without waiting for the command, whose failures are no news any more. */
    static boolean isEnding() {
        return requested && owner == null;
    }

    static void check() {
        if (requested && owner != null) {
            throw new CommandFailedException(SENTENCE + advice);
        }
    }

    private static void end(PrintWriter err) {
        if (finished) {
            return;
        }
        requested = true;
        Thread awaited = owner;
        if (awaited == null) {
            if (!quiet) {
                err.println("kvmdb: " + SENTENCE + advice);
                err.flush();
            }
            return;
        }
        closeInput(err);
        try {
            awaited.join(PATIENCE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void closeInput(PrintWriter err) {
        try {
            if (input != null) {
                input.close();
            }
        } catch (IOException e) {
            err.println("kvmdb: " + ErrorSentences.of(e));
        }
    }

    /** Not while the process is ending: what comes then is said by the command. */
    @Override
    public void close() {
        if (!requested) {
            owner = null;
            input = null;
        }
    }
}
