package org.kvmdb.journal;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.RecordingDevice;

/** Runs steps on a recorded device, and opens everything that a crash could leave of it: a prefix of the commits is there. */
final class CrashHunt {

    private final AtomicLong cases;
    private final StoreModel model;
    private final SplittableRandom random;
    private final int recoveriesOneIn;

    private CrashHunt(AtomicLong cases, long seed, StoreModel model, int recoveriesOneIn) {
        this.cases = cases;
        this.model = model;
        this.recoveriesOneIn = recoveriesOneIn;
        random = new SplittableRandom(seed);
    }

    /**
     * Runs it.
     *
     * @param recoveriesOneIn one in so many of the recoveries is crashed, too
     * @param tornPerWrite how often each write is torn
     */
    static void run(AtomicLong cases, long seed, int recoveriesOneIn, int tornPerWrite, Consumer<Workload> steps) {
        final RecordingDevice device = new RecordingDevice(new MemoryDevice("hunt"));
        try (Workload work = new Workload(device, Workload.tinyOptions(), seed)) {
            work.create();
            final int begin = device.events().size();
            steps.accept(work);
            final CrashHunt hunt = new CrashHunt(cases, seed, work.model(), recoveriesOneIn);
            new CrashStates(device, seed, 4, tornPerWrite, hunt::check).walk(begin, 0, 0);
        } finally {
            device.dispose();
        }
    }

    private void check(CrashStates.State state) {
        check(state.materialize(), state.acked(), state.issued());
        if (random.nextInt(recoveriesOneIn) == 0) {
            crashRecovery(state);
        }
    }

    private int check(Device device, int acked, int issued) {
        cases.incrementAndGet();
        try (Journal journal = Journal.open(device, Workload.tinyOptions().withRandom(random.split()))) {
            final int found = model.commitOf(StoreModel.read(journal), acked, issued);
            SpaceCheck.check(journal);
            return found;
        }
    }

    /** A process was killed, the next one recovered, and then the power went; and that once more behind a flush that failed. */
    private void crashRecovery(CrashStates.State state) {
        final List<RecordingDevice.Event> cached =
                state.left().stream().filter(left -> left.sectors() == null).map(RecordingDevice.Left::write).toList();
        crashRecovery(state, RecordingDevice.killed(state.durable(), state.sizeBytes(), cached));
        crashRecovery(state, RecordingDevice.unflushable(state.durable(), state.sizeBytes(), cached));
    }

    private void crashRecovery(CrashStates.State state, RecordingDevice device) {
        final int found = check(device, state.acked(), state.issued());
        device.acked(found);
        device.dispose();
        new CrashStates(device, random.nextLong(), 2, 2, crashed -> {
            if (random.nextInt(2) == 0) {
                check(crashed.materialize(), crashed.acked(), crashed.issued());
            }
        }).walk(0, state.acked(), state.issued());
    }
}
