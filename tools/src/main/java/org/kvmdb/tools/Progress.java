package org.kvmdb.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A progress bar on standard error, when that is a terminal, for what lasts longer than a second. One thread advances
 * it.
 */
public final class Progress implements AutoCloseable {

    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int MIB = 1 << 20;
    private static final String BYTES = "bytes";
    private static final int STANDARD_ERROR = 2;

    private final String task;
    private final String unit;
    private long total;
    private final boolean shown;
    private final long startNanos = System.nanoTime();
    private long done;
    private ProgressBar bar;

    /** @param totalBytes what there is to do */
    public Progress(String task, long totalBytes) {
        this(task, totalBytes, BYTES);
    }

    /** @param unit "bytes", or what else is counted */
    public Progress(String task, long total, String unit) {
        this.task = task;
        this.total = total;
        this.unit = unit;
        this.shown = isTerminal();
    }

    /** It turned out to be another total. */
    public void total(long units) {
        total = units;
        if (bar != null) {
            bar.maxHint(units);
        }
    }

    public void advance(long units) {
        reach(done + units);
    }

    /**
     * All that is done so far.
     *
     * @throws CommandFailedException after Ctrl-C
     */
    public void reach(long units) {
        Interruption.check();
        done = units;
        if (bar == null && shown && System.nanoTime() - startNanos > QUIET_NANOS) {
            bar = bar();
        }
        if (bar != null) {
            bar.stepTo(done);
        }
    }

    private ProgressBar bar() {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .startsFrom(done, Duration.ofNanos(System.nanoTime() - startNanos))
                .setUnit(unit.equals(BYTES) ? "MiB" : " " + unit, unit.equals(BYTES) ? MIB : 1)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(System.err))
                .clearDisplayOnFinish()
                .build();
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }

    /** Whether somebody is looking at standard error: {@code System.console()} only knows of input and output. */
    private static boolean isTerminal() {
        return isTerminal(STANDARD_ERROR);
    }

    /** Whether a descriptor of this process is a terminal. */
    static boolean isTerminal(int fd) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
