package org.kvmdb.crashtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.CrashStates.Limits;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.FaultyDevice.Operation;
import org.kvmdb.journal.simulation.RecordingDevice;
import org.kvmdb.journal.simulation.RewindingDevice;
import org.kvmdb.journal.simulation.SimulatedDisk;

/**
 * Runs the workload on a device that fails, and says so: at one operation, or at one and all that follow. The workload may
 * end with whatever it likes. Then the device works again, and the store must hold what was acknowledged; also where the
 * power failed at the end, and only some is left of what was not flushed.
 *
 * @param steps of each run
 * @param wanted how many runs
 */
record FaultTest(Subject subject, Findings findings, CampaignTally tally, long steps, long wanted, int threads) {

    private static final int POWER_CUTS = 3;

    /** One run: the operation of that kind and number fails. */
    private record Case(Operation operation, Fault fault, boolean persistent, long failAt) {
        String label() {
            return "device error at " + operation.name().toLowerCase(Locale.ROOT);
        }

        @Override
        public String toString() {
            return "%s %d of the device fails (%s)%s"
                    .formatted(
                            operation.name().toLowerCase(Locale.ROOT),
                            failAt,
                            fault,
                            persistent ? ", and all later ones" : "");
        }
    }

    void run(Path directory) throws IOException, InterruptedException {
        Path prepared = Files.createDirectories(directory.resolve("prepared"));
        byte[] image;
        FaultyDevice counts;
        try {
            image = subject.record(prepared, 0).recording().startImage();
            counts = counted(prepared, image);
        } catch (Exception | AssertionError | InternalError e) {
            tally.found(findings.ofWorkload(e, steps));
            return;
        }
        List<Case> cases = cases(counts);
        Shares.run(threads, share -> {
            Path own = Files.createDirectories(directory.resolve("faults-" + share));
            RewindingDevice medium = new RewindingDevice(image);
            try (SimulatedDisk disk = new SimulatedDisk(own)) {
                for (int i = share; i < cases.size() && tally.hasNoFindings(); i += threads) {
                    check(disk, medium, own, cases.get(i));
                }
            } finally {
                medium.free();
            }
        });
    }

    /** A run where nothing fails, which counts its operations. */
    private FaultyDevice counted(Path directory, byte[] image) throws Exception {
        RewindingDevice medium = new RewindingDevice(image);
        try (SimulatedDisk disk = new SimulatedDisk(directory)) {
            FaultyDevice counting = new FaultyDevice(medium);
            disk.insert(counting);
            subject.run(directory, new MarkLog(steps));
            return counting;
        } finally {
            medium.free();
        }
    }

    /** Of each way to fail as many, evenly over the run. */
    private List<Case> cases(FaultyDevice counts) {
        List<Case> cases = new ArrayList<>();
        int ways = 0;
        for (Operation operation : Operation.values()) {
            for (Fault fault : Fault.values()) {
                ways += isTried(operation, fault, counts) ? 2 : 0;
            }
        }
        for (Operation operation : Operation.values()) {
            for (Fault fault : Fault.values()) {
                if (isTried(operation, fault, counts)) {
                    long count = Math.min(counts.count(operation), (wanted + ways - 1) / ways);
                    for (long i = 0; i < count; i++) {
                        long failAt = i * counts.count(operation) / count;
                        cases.add(new Case(operation, fault, false, failAt));
                        cases.add(new Case(operation, fault, true, failAt));
                    }
                }
            }
        }
        return cases;
    }

    private static boolean isTried(Operation operation, Fault fault, FaultyDevice counts) {
        return fault.isLoud() && fault.appliesTo(operation) && counts.count(operation) > 0;
    }

    private void check(SimulatedDisk disk, RewindingDevice medium, Path directory, Case one) throws IOException {
        medium.rewind();
        RecordingDevice recording = new RecordingDevice(medium);
        FaultyDevice faulty = new FaultyDevice(
                recording, one.operation, one.fault, one.failAt, one.persistent, subject.seed());
        MarkLog marks = new MarkLog(steps);
        marks.into(recording);
        disk.insert(faulty);
        Throwable end = endOf(directory, marks);
        if (!faulty.wasHit()) {
            if (end != null) {
                tally.found(findings.ofWorkload(end, steps));
            }
            return;
        }
        tally.add(one.label());
        byte[] left = medium.image();
        medium.reopen();
        disk.insert(medium);
        Recovered recovered = marks.recovered(subject.seed());
        Throwable thrown = subject.failure(directory, recovered);
        if (thrown != null) {
            tell(one, "", recovered, thrown, left, marks, marks.count());
            return;
        }
        cutPower(disk, directory, one, recording, marks);
    }

    private Throwable endOf(Path directory, MarkLog marks) {
        try {
            subject.run(directory, marks);
            return null;
        } catch (Exception | AssertionError | InternalError e) {
            return e;
        }
    }

    /** Some of what else could be there if the power failed before the device worked again. */
    private void cutPower(
            SimulatedDisk disk, Path directory, Case one, RecordingDevice recording, MarkLog marks) {
        int events = recording.events().size();
        long count = new CrashStates(recording, one.failAt, Limits.FEW, state -> {}).walk(events, 0, 0);
        new CrashStates(recording, one.failAt, Limits.FEW, state -> {
                    if (RecordedStates.isChosen(state.number(), POWER_CUTS, count)) {
                        disk.insert(state.device());
                        tally.add("power cut after a device error");
                        Recovered recovered = marks.recovered(subject.seed(), state.issued());
                        Throwable thrown = subject.failure(directory, recovered);
                        if (thrown != null) {
                            byte[] left = state.device().image();
                            tell(one, ", and then the power", recovered, thrown, left, marks, state.issued());
                        }
                    }
                })
                .walk(events, 0, 0);
    }

    private void tell(
            Case one, String more, Recovered recovered, Throwable thrown, byte[] left, MarkLog marks, int mark) {
        String name = "fault-%s-%s-%d".formatted(one.operation, one.fault, one.failAt).toLowerCase(Locale.ROOT);
        tally.found(findings.of(name, one + more, recovered, thrown, left, marks.saidUntil(mark)));
    }
}
