package org.kvmdb.tools.kill;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import org.kvmdb.Scope;
import org.kvmdb.StoreFullException;
import org.kvmdb.Volume;

/** One of the threads that write cells of their own in steps, and commit each. */
final class StepWriter implements Runnable {

    private static final long FULL_PAUSE_MILLIS = 2;

    private final KillWorker worker;
    private final int thread;
    private final Map<CellVolume, Cells> cells = new EnumMap<>(CellVolume.class);

    StepWriter(KillWorker worker, int thread) {
        this.worker = worker;
        this.thread = thread;
        for (CellVolume volume : CellVolume.values()) {
            cells.put(volume, new Cells(volume.id(), volume.cellBytes()));
        }
    }

    @Override
    public void run() {
        boolean goesOn = true;
        for (int round = thread; goesOn && worker.goesOn(); round++) {
            goesOn = step(round % 3 == 0 ? 1 : 0);
            worker.advance();
        }
    }

    /** Returns whether there is room to keep more of them that fail. */
    private boolean step(int group) {
        KillLedger.Slot slot = worker.ledger().slot(thread, group);
        long number = slot.issue();
        Step step = Step.of(worker.workSeed(), thread, group, number);
        // A step of many pages is written outside of scopes, which would keep its pages from being stolen: nobody else
        // may commit meanwhile.
        Lock lock = step.size() == Step.Size.HUGE ? worker.inFlight().writeLock() : worker.inFlight().readLock();
        lock.lock();
        try {
            write(step);
            worker.commit(step.commit(), worker.volumesOf(group));
            if (step.commit() != Step.Commit.ASYNC) {
                slot.acknowledge(number);
            }
            return true;
        } catch (StoreFullException e) {
            // Below.
        } catch (InternalError e) {
            // The write itself found the store full, and the scope then said so.
            if (List.of(e.getSuppressed()).stream().noneMatch(StoreFullException.class::isInstance)) {
                throw e;
            }
        } finally {
            lock.unlock();
        }
        return rollBack(step, slot);
    }

    private void write(Step step) {
        List<Volume> volumes = worker.volumesOf(step.group());
        if (step.size() == Step.Size.HUGE) {
            step.forEach(this::write);
            return;
        }
        try (Scope _ = volumes.getFirst().writeScope();
                Scope _ = volumes.getLast().writeScope()) {
            step.forEach(this::write);
        }
    }

    private void write(CellVolume volume, int cell, long stamp) {
        cells.get(volume).write(worker.memory(volume), cell, stamp);
    }

    private boolean rollBack(Step step, KillLedger.Slot slot) {
        worker.inFlight().writeLock().lock();
        try {
            worker.volumesOf(0).forEach(Volume::rollback);
            worker.volumesOf(1).forEach(Volume::rollback);
            CellVolume ledgerVolume = CellVolume.ofGroup(step.group()).getFirst();
            long found = cells.get(ledgerVolume).stamp(worker.memory(ledgerVolume), thread);
            if (found == step.stamp()) {
                // Another thread's commit had taken it along before this one's was refused.
                slot.acknowledge(step.number());
                return true;
            }
            Thread.sleep(FULL_PAUSE_MILLIS);
            return slot.abort(step.number());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            worker.inFlight().writeLock().unlock();
        }
    }
}
