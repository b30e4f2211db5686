package org.kvmdb;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A process whose heap is filled up but for some bytes while a store is used: whatever then fails for want of memory leaves nothing
 * behind that keeps others waiting. The bytes that are left grow step by step, so that each call fails where it needs more than
 * those before it.
 */
final class StarvedStore {

    private static final int PAGES = 64;
    private static final int STEP_BYTES = 16;
    private static final int COMMIT_STEP_BYTES = 512;
    private static final int STEPS_MAX = 30;
    /** Calls that worked one after the other: it was enough. */
    private static final int ENOUGH = 3;
    private static final int WAIT_SECONDS = 20;

    private final Object[] large = new Object[1 << 14];
    private final Object[] small = new Object[1 << 14];
    private final ExecutorService other = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    private Store store;
    private Volume volume;
    private int version;
    private int reopened;

    private StarvedStore(Path directory) {
        store = Store.create(directory, TestStores.small());
        volume = store.createVolume("v", VolumeOptions.ofSizeBytes(PAGES * TestStores.PAGE));
    }

    public static void main(String[] arguments) throws Exception {
        final StarvedStore starved = new StarvedStore(Path.of(arguments[0]).resolve("store"));
        starved.use();
        starved.ladder("scope", STEP_BYTES, () -> starved.volume.writeScope().close());
        starved.ladder("pin", STEP_BYTES, starved::pinAndClose);
        starved.ladder("commit", COMMIT_STEP_BYTES, () -> starved.store.commit());
        starved.closeScopes();
        // Pins that stayed would keep it from that.
        starved.store.deleteVolume("v");
        starved.store.close();
        System.out.println("done, reopened " + starved.reopened);
    }

    /** What was pinned is let go when there is memory again, so that only what the caller never got stays. */
    private void pinAndClose() {
        final Pin pin = volume.pin(0, 4L * TestStores.PAGE, PinMode.WRITE);
        empty();
        pin.close();
    }

    /** There is no memory to close a scope: it is closed all the same. */
    private void closeScopes() throws Exception {
        for (int step = 0; step < ENOUGH; step++) {
            final Scope scope = volume.writeScope();
            fill(step * STEP_BYTES);
            try {
                scope.close();
            } catch (OutOfMemoryError e) {
                empty();
                scope.close();
            }
            empty();
            use();
        }
    }

    /** Calls until it works, or often; the first time with memory, which is when the virtual machine links the calls. */
    private void ladder(String name, int stepBytes, Runnable call) throws Exception {
        call.run();
        int failures = 0;
        int worked = 0;
        for (int step = 0; worked < ENOUGH && step < STEPS_MAX; step++) {
            TestStores.writePages(volume, 1, 0, PAGES, ++version);
            fill(step * stepBytes);
            try {
                call.run();
                empty();
                worked++;
            } catch (OutOfMemoryError | StoreFailedException e) { // failed by another thread that had none
                empty();
                failures++;
                worked = 0;
            }
            use();
        }
        System.out.println(name + " failed " + failures);
        if (failures == 0) {
            throw new AssertionError(name + " never failed");
        }
    }

    /** A thread that has nothing open commits, and what was written is what is there. */
    private void use() throws Exception {
        other.submit(() -> {
                    commit();
                    TestStores.checkPages(volume, 1, 0, PAGES, version);
                    try (Scope _ = volume.writeScope()) {
                        TestStores.writePages(volume, 1, 0, PAGES, ++version);
                    }
                    store.commit();
                })
                .get(WAIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Afterwards nothing is dirty, frozen pages included. A store that failed is opened again first. */
    private void commit() {
        try {
            store.commit();
        } catch (StoreFailedException e) {
            final Path directory = store.path();
            store.close();
            store = Store.open(directory, TestStores.small());
            volume = store.volume("v");
            TestStores.writePages(volume, 1, 0, PAGES, version);
            store.commit();
            reopened++;
        }
        final long dirty = store.statistics().cache().dirtyBytes();
        if (dirty != 0) {
            throw new AssertionError("dirty after a commit: " + dirty);
        }
    }

    // ---- heap ----

    /** Leaves about that many bytes. */
    private void fill(int leftBytes) {
        int count = 0;
        try {
            for (; count < large.length; count++) {
                large[count] = new byte[1 << 10];
            }
        } catch (OutOfMemoryError e) {
            // That is what it was for.
        }
        int smallCount = 0;
        try {
            for (; smallCount < small.length; smallCount++) {
                small[smallCount] = new Object();
            }
        } catch (OutOfMemoryError e) {
            // As before.
        }
        for (int left = leftBytes; left > 0 && smallCount > 0; left -= STEP_BYTES) { // an object takes so much
            small[--smallCount] = null;
        }
    }

    private void empty() {
        Arrays.fill(large, null);
        Arrays.fill(small, null);
    }
}
