package org.kvmdb;

import java.nio.file.Path;
import org.kvmdb.journal.Device;
import org.kvmdb.journal.Devices;
import org.kvmdb.journal.FileDevice;
import org.kvmdb.journal.simulation.CampaignPlan;
import org.kvmdb.journal.simulation.CampaignTally;
import org.kvmdb.journal.simulation.Fault;
import org.kvmdb.journal.simulation.FaultyDevice;
import org.kvmdb.journal.simulation.Finding;

/**
 * A disk that takes every write and is full only when it is asked to flush, at each flush in turn: nothing is acknowledged
 * from then on, and what was acknowledged before is there when the store is opened again with room.
 */
final class LateNoSpace {

    private static final int COMMITS = 12;
    private static final int PAGES = 32;
    private static final int CHECKPOINT_EVERY = 5;

    private final Path directory;
    private final Source source = new Source();
    private int acknowledged;
    private int issued;

    private LateNoSpace(Path directory) {
        this.directory = directory;
    }

    static void run(CampaignPlan plan, CampaignTally tally) {
        boolean wasHit = true;
        for (int flush = 0; wasHit; flush++) {
            if (plan.options().containsKey("value") && !plan.options().get("value").equals(Integer.toString(flush))) {
                wasHit = flush < 1000;
                continue;
            }
            final LateNoSpace late = new LateNoSpace(plan.directory().resolve("late-full-disk").resolve("s" + flush));
            try (Devices.Mount _ = Devices.mount(late.directory, late.source)) {
                wasHit = late.tryWith(flush);
                tally.add(wasHit ? "late-full-disk flushes" : "late-full-disk without");
            } catch (RuntimeException | AssertionError e) {
                tally.found(new Finding(
                        "late-full-disk=%d: %s".formatted(flush, e),
                        "kvmdb crashtest --only limits --seed %d --option kind=late-full-disk --option value=%d"
                                .formatted(plan.seed(), flush),
                        ""));
            }
        }
    }

    /** Files, the next of which that is opened fails a flush. */
    private static final class Source implements Devices.Source {
        private int failAt = -1;
        private FaultyDevice last;

        @Override
        public Device create(Path path) {
            return faulty(FileDevice.create(path));
        }

        @Override
        public Device open(Path path, boolean readOnly) {
            return faulty(FileDevice.open(path, readOnly));
        }

        private Device faulty(Device device) {
            last = new FaultyDevice(device, FaultyDevice.Operation.FLUSH, Fault.ENOSPC, failAt, true);
            return last;
        }

        @Override
        public boolean exists(Path path) {
            return Devices.FILES.exists(path);
        }
    }

    /** Whether there were so many flushes. */
    private boolean tryWith(int flush) {
        source.failAt = flush;
        boolean failed = false;
        try (Store store = Store.create(directory, TestStores.small())) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * TestStores.PAGE));
            for (int i = 0; i < COMMITS; i++) {
                TestStores.writePages(volume, 1, 0, PAGES, acknowledged + 1);
                issued = acknowledged + 1;
                store.commit();
                acknowledged++;
                if (i % CHECKPOINT_EVERY == 0) {
                    store.checkpoint();
                }
            }
        } catch (StoreFailedException e) {
            failed = true;
        }
        final boolean wasHit = source.last.wasHit();
        if (failed != wasHit) {
            throw new AssertionError("flush failed: %s, the store said so: %s".formatted(wasHit, failed));
        }
        source.last.dispose();
        source.failAt = -1;
        try {
            checkAfter();
        } finally {
            source.last.dispose();
        }
        return wasHit;
    }

    private void checkAfter() {
        if (!Devices.exists(TestStores.dataFile(directory))) {
            if (issued > 0) {
                throw new AssertionError("the store is gone");
            }
            Store.create(directory, TestStores.small()).close();
            return;
        }
        try (Store store = Store.open(directory, TestStores.small())) {
            if (store.volumes().isEmpty() && issued == 0) {
                return;
            }
            final Volume volume = store.volume("v");
            final long found = PageContent.version(TestStores.page(volume, 0), 1, 0);
            if (found < acknowledged || found > issued) {
                throw new AssertionError("commit %d is there, acknowledged=%d issued=%d".formatted(found, acknowledged, issued));
            }
            TestStores.checkPages(volume, 1, 0, PAGES, found);
        }
    }
}
