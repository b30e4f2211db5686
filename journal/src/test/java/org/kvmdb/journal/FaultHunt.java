package org.kvmdb.journal;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.KeptDevice;

/** Lets each operation of a kind fail in turn: nothing is acknowledged behind it, and nothing that failed is to be seen. */
final class FaultHunt {

    private static final int OPERATIONS_MAX = 400;

    private FaultHunt() {}

    static void run(AtomicLong cases, FaultyDevice.Operation operation, Fault fault, Consumer<Workload> steps) {
        for (int n = 0; n < OPERATIONS_MAX; n++) {
            final KeptDevice disk = new KeptDevice(new MemoryDevice("hunt"));
            try {
                if (!isHit(new FaultyDevice(disk, operation, fault, n, false), steps)) {
                    return;
                }
                cases.incrementAndGet();
            } finally {
                disk.dispose();
            }
        }
        throw new AssertionError("more than %d operations".formatted(OPERATIONS_MAX));
    }

    private static boolean isHit(FaultyDevice device, Consumer<Workload> steps) {
        try (Workload work = new Workload(device, Workload.tinyOptions(), 5)) {
            try {
                work.create();
                steps.accept(work);
                if (device.wasHit()) {
                    throw new AssertionError("an operation failed, and commits behind it were acknowledged");
                }
                return false;
            } catch (StorageException e) {
                if (!device.wasHit()) {
                    throw e;
                }
            }
            if (work.isCreated()) {
                afterFailure(work, device);
            }
            return true;
        }
    }

    private static void afterFailure(Workload work, FaultyDevice device) {
        if (!device.isClosed()) {
            device.heal();
            final var seen = StoreModel.read(work.journal());
            if (!seen.equals(work.model().state(work.applied()))) {
                throw new AssertionError("behind a failure the store shows what failed: found=%s before=%s"
                        .formatted(seen, work.model().state(work.applied())));
            }
            final ErrorCode code = codeOf(work);
            if (code != ErrorCode.FAILED) {
                throw new AssertionError("behind a failure a commit gives " + code);
            }
            work.kill();
        }
        device.heal();
        work.reopen();
        SpaceCheck.check(work.journal());
        work.kill();
    }

    private static ErrorCode codeOf(Workload work) {
        try {
            work.journal().beginAppend().close();
            return null;
        } catch (StorageException e) {
            return e.code();
        }
    }
}
