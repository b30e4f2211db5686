package org.kvmdb;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.kvmdb.journal.FileDevice;
import org.kvmdb.journal.Journal;

/** A store on a recording device, beside a plain map of bytes that says what it must hold. */
final class StoreModel implements AutoCloseable {

    static final int VOLUMES = 2;
    static final int PAGES_MAX = 40;
    private static final int[] PAGE_SIZES = {4096, 16384};

    private final Path directory;
    private final RecordingDevice.Recording recording = new RecordingDevice.Recording();
    private Store store;

    /** What the memory holds. */
    private byte[][] current = new byte[VOLUMES][];

    /** Every state that was ever committed, or is about to be, in order. */
    private final List<byte[][]> states = new ArrayList<>();

    private int acknowledged;

    StoreModel(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory.resolve("s"));
        store = new OpenStore(
                this.directory,
                () -> Journal.create(
                        new RecordingDevice(FileDevice.create(TestStores.dataFile(this.directory)), recording),
                        OpenStore.journalOptions(TestStores.small())),
                TestStores.small());
        for (int v = 0; v < VOLUMES; v++) {
            current[v] = new byte[PAGES_MAX / 2 * PAGE_SIZES[v]];
            store.createVolume(
                    "v" + v, VolumeOptions.ofSizeBytes(current[v].length).withPageSizeBytes(PAGE_SIZES[v]));
        }
        states.add(copyOf(current));
        recording.marker(0, 0);
    }

    /** Operations so far; crashes before the first state are not of interest. */
    int operations() {
        return recording.size();
    }

    /** Plants a bug that the crashes must bring to light. */
    void skipFlushes() {
        recording.skipFlushes();
    }

    private static byte[][] copyOf(byte[][] state) {
        return Arrays.stream(state).map(byte[]::clone).toArray(byte[][]::new);
    }

    // ---- actions ----

    void write(int volume, double where, int length, long seed, boolean compresses) {
        final byte[] bytes = new byte[Math.min(length, current[volume].length)];
        if (compresses) {
            Arrays.fill(bytes, (byte) seed);
        } else {
            new Random(seed).nextBytes(bytes);
        }
        final int offset = (int) (where * (current[volume].length - bytes.length));
        System.arraycopy(bytes, 0, current[volume], offset, bytes.length);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, volume(volume).memory(), offset, bytes.length);
    }

    private Volume volume(int v) {
        return store.volume("v" + v);
    }

    /** A state is issued before the store can make it durable, acknowledged after it has said so. */
    private void commit(byte[][] state, boolean durable, Runnable action) {
        states.add(state);
        recording.marker(states.size() - 1, acknowledged);
        action.run();
        if (durable) {
            acknowledge();
        }
    }

    private void acknowledge() {
        acknowledged = states.size() - 1;
        recording.marker(acknowledged, acknowledged);
    }

    void commit() {
        commit(copyOf(current), true, store::commit);
    }

    void commitAsync() {
        commit(copyOf(current), false, store::commitAsync);
    }

    void sync() {
        store.sync();
        acknowledge();
    }

    void commitOne(int volume) {
        final byte[][] state = copyOf(states.getLast());
        state[volume] = current[volume].clone();
        commit(state, true, volume(volume)::commit);
    }

    void rollback() {
        store.rollback();
        current = copyOf(states.getLast());
        check();
    }

    void rollbackOne(int volume) {
        volume(volume).rollback();
        current[volume] = states.getLast()[volume].clone();
        check();
    }

    void checkpoint() {
        store.checkpoint();
    }

    /** The size is durable at once, and so is that what lay beyond it is gone. */
    void resize(int volume, int pages) {
        final int bytes = pages * PAGE_SIZES[volume];
        final byte[][] state = copyOf(states.getLast());
        state[volume] = Arrays.copyOf(state[volume], bytes);
        commit(state, true, () -> volume(volume).resize(bytes));
        current[volume] = Arrays.copyOf(current[volume], bytes);
        check();
    }

    void reopen() {
        store.close();
        acknowledge();
        store = new OpenStore(
                directory,
                () -> Journal.open(
                        new RecordingDevice(FileDevice.open(TestStores.dataFile(directory), false), recording),
                        OpenStore.journalOptions(TestStores.small())),
                TestStores.small());
        current = copyOf(states.getLast());
        check();
    }

    // ---- checks ----

    void check() {
        final String difference = difference(store, current);
        if (difference != null) {
            fail(difference);
        }
    }

    /** Where a store differs from a state, or null. */
    private static String difference(Store store, byte[][] state) {
        for (int v = 0; v < VOLUMES; v++) {
            final Volume volume = store.volume("v" + v);
            if (volume.sizeBytes() != state[v].length) {
                return "volume %d has %d bytes, not %d".formatted(v, volume.sizeBytes(), state[v].length);
            }
            final long at = volume.memory().mismatch(MemorySegment.ofArray(state[v]));
            if (at >= 0) {
                return "volume %d differs at %d (page %d)".formatted(v, at, at / PAGE_SIZES[v]);
            }
        }
        return null;
    }

    /** Crashes before an operation, recovers, and sees that the store holds one of the states that it may; twice. */
    void crash(int at, boolean powerLoss, long seed, Path copy) throws IOException {
        Files.createDirectories(copy);
        final RecordingDevice.Crash crash = RecordingDevice.writeCrashImage(
                recording, at, powerLoss, new Random(seed), TestStores.dataFile(copy));
        int recovered = -1;
        for (int i = 0; i < 2; i++) {
            try (Store opened = Store.open(copy, TestStores.small())) {
                recovered = recovered(opened, crash, recovered);
            } catch (StoreException e) {
                throw new AssertionError("crash before operation %d of %d, power loss=%s seed=%d: cannot be opened"
                        .formatted(at, recording.size(), powerLoss, seed), e);
            }
        }
    }

    private int recovered(Store opened, RecordingDevice.Crash crash, int before) {
        final StringBuilder differences = new StringBuilder();
        for (int i = before < 0 ? crash.acknowledged() : before; i <= (before < 0 ? crash.issued() : before); i++) {
            final String difference = difference(opened, states.get(i));
            if (difference == null) {
                return i;
            }
            differences.append("state ").append(i).append(": ").append(difference).append('\n');
        }
        return fail("recovered none of the states %d to %d:%n%s"
                .formatted(crash.acknowledged(), crash.issued(), differences));
    }

    @Override
    public void close() {
        store.close();
    }
}
