package org.kvmdb.tools.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;

/**
 * Waits until the virtual machine's compiler is done with what is to be measured: until then it takes one of a few processors,
 * and code that is not compiled yet is slow.
 */
public final class CompilerWatch {

    /** Of a piece's time: less than this is spent on what runs beside it. */
    private static final double QUIET_SHARE = 0.05;

    private static final int QUIET_PIECES = 2;
    private static final int PIECES_MAX = 30;
    private static final double MILLIS_PER_NANO = 1e-6;

    /** A part of the work, not measured: a second of it, or more. */
    public interface Piece<E extends Exception> {
        void run() throws E;
    }

    private CompilerWatch() {}

    /**
     * Works until the compiler had next to nothing to do during two pieces in a row, since it tells of what it has finished only;
     * thirty pieces at most, so that what never comes to rest is measured as it is.
     */
    public static <E extends Exception> void warmUp(Piece<E> piece) throws E {
        CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
        int quiet = 0;
        for (int i = 0; i < PIECES_MAX && quiet < QUIET_PIECES; i++) {
            long startNanos = System.nanoTime();
            long compiledMillis = compiler.getTotalCompilationTime();
            piece.run();
            double share = (compiler.getTotalCompilationTime() - compiledMillis)
                    / ((System.nanoTime() - startNanos) * MILLIS_PER_NANO);
            quiet = share < QUIET_SHARE ? quiet + 1 : 0;
        }
    }
}
