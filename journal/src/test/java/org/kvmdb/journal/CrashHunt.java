package org.kvmdb.journal;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.RecordingDevice;

/** Runs steps on a recorded device, and opens everything that a crash could leave of it: a prefix of the commits is there. */
final class CrashHunt {

    private CrashHunt() {}

    /**
     * Runs it.
     *
     * @param recoveriesOneIn one in so many of the recoveries is crashed, too
     * @param tornPerWrite how often each write is torn
     */
    static void run(AtomicLong cases, long seed, int recoveriesOneIn, int tornPerWrite, Consumer<Workload> steps) {
        final RecordingDevice device = new RecordingDevice(new MemoryDevice("hunt"));
        cases.incrementAndGet();
        try (Workload work = new Workload(device, Workload.tinyOptions(), seed)) {
            work.create();
            final int begin = device.events().size();
            steps.accept(work);
            final StateCheck.Rates rates = new StateCheck.Rates(0, 0, recoveriesOneIn, Math.min(2, recoveriesOneIn), 1);
            final StateCheck check =
                    new StateCheck(work.model(), Workload.tinyOptions(), new CheckedImages(), rates, seed, null);
            final CrashStates.Limits limits = new CrashStates.Limits(0, 5, 0, tornPerWrite, tornPerWrite, false);
            new CrashStates(device, seed, limits, state -> {
                cases.incrementAndGet();
                check.check(state);
            }).walk(begin, 0, 0);
        } finally {
            device.dispose();
        }
    }
}
