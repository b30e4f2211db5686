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

    private static final int PIECES_MAX = 30;
    private static final double MILLIS_PER_NANO = 1e-6;

    /** A part of the work, not measured: a second of it, or more. */
    public interface Piece<E extends Exception> {
        void run() throws E;
    }

    private CompilerWatch() {}

    /** Works until the compiler had next to nothing to do during a piece, thirty pieces at most. */
    public static <E extends Exception> void warmUp(Piece<E> piece) throws E {
        CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
        for (int i = 0; i < PIECES_MAX; i++) {
            long startNanos = System.nanoTime();
            long compiledMillis = compiler.getTotalCompilationTime();
            piece.run();
            double share = (compiler.getTotalCompilationTime() - compiledMillis)
                    / ((System.nanoTime() - startNanos) * MILLIS_PER_NANO);
            if (share < QUIET_SHARE) {
                return;
            }
        }
    }
}
