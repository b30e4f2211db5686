package org.kvmdb.crashtest;

import java.nio.file.Path;
import org.kvmdb.Store;
import org.kvmdb.journal.simulation.RecordingDevice;
import org.kvmdb.journal.simulation.SimulatedDisk;

/** What is tested: a workload and its checker, with one seed. */
record Subject(CrashWorkload workload, CrashChecker checker, long seed) {

    /** A run on a device that recorded it, until the store was closed. */
    record Run(RecordingDevice recording, MarkLog marks) {}

    /** Runs the workload once, where nothing fails. */
    Run record(Path directory, long steps) throws Exception {
        MarkLog marks = new MarkLog(steps);
        try (SimulatedDisk disk = new SimulatedDisk(directory)) {
            create(directory, marks);
            disk.device().reopen();
            RecordingDevice recording = new RecordingDevice(disk.device().medium());
            disk.insert(recording);
            marks.into(recording);
            run(directory, marks);
            return new Run(recording, marks);
        }
    }

    void create(Path directory, CrashContext.Marks marks) throws Exception {
        try (Store store = Store.create(directory, workload.options())) {
            workload.create(store, new CrashContext(seed, marks));
        }
    }

    void run(Path directory, CrashContext.Marks marks) throws Exception {
        try (Store store = Store.open(directory, workload.options())) {
            workload.run(store, new CrashContext(seed, marks));
        }
    }

    /** Recovers what lies in a directory and has it checked. Null when all is well, else what was thrown. */
    Throwable failure(Path directory, Recovered recovered) {
        try (Store store = Store.open(directory, workload.options())) {
            checker.check(store, recovered);
            return null;
        } catch (Exception | AssertionError | InternalError e) {
            return e;
        }
    }
}
