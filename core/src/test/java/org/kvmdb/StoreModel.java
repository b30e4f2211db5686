package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.kvmdb.gc.StoreChecker;
import org.kvmdb.gc.StoreReport;
import org.kvmdb.journal.MemoryDevice;
import org.kvmdb.journal.simulation.KeptDevice;
import org.kvmdb.journal.simulation.RecordingDevice;
import org.kvmdb.journal.simulation.SimulatedDisk;

/** A store on a recording device, beside plain arrays of bytes that say what its volumes and snapshots must hold. */
final class StoreModel implements AutoCloseable {

    static final int PAGES_MAX = 40;
    private static final int VOLUMES_MAX = 5;
    private static final int SNAPSHOTS_MAX = 12;
    private static final int[] PAGE_SIZES = {4096, 16384};
    private static final StoreOptions OPTIONS =
            TestStores.small().withControlSocket(false).withCountersFile(false);

    /** What was committed of each volume, and what each snapshot holds, by full name. Arrays are never changed. */
    private record State(Map<String, byte[]> volumes, Map<String, byte[]> snapshots) {

        State copy() {
            return new State(new TreeMap<>(volumes), new TreeMap<>(snapshots));
        }
    }

    private final Path directory;
    private final SimulatedDisk disk;
    private final RecordingDevice recording = new RecordingDevice(new MemoryDevice("model"));
    private Store store;

    /** What the memory of each volume holds. */
    private Map<String, byte[]> current = new TreeMap<>();

    /** Which snapshot a clone was made of. */
    private final Map<String, String> origins = new TreeMap<>();

    /** Every state that was ever committed, or is about to be, in order. */
    private final List<State> states = new ArrayList<>();

    private int acknowledged;
    private int namesGiven;

    StoreModel(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory.resolve("s"));
        disk = new SimulatedDisk(this.directory);
        disk.insert(recording);
        store = Store.create(this.directory, OPTIONS);
        for (int v = 0; v < PAGE_SIZES.length; v++) {
            final byte[] zeros = new byte[PAGES_MAX / 2 * PAGE_SIZES[v]];
            current.put("v" + v, zeros);
            store.createVolume("v" + v, VolumeOptions.ofSizeBytes(zeros.length).withPageSizeBytes(PAGE_SIZES[v]));
        }
        states.add(new State(copyOf(current), new TreeMap<>()));
        recording.issued(0);
    }

    /** Operations so far; crashes before the first state are not of interest. */
    int operations() {
        return recording.events().size();
    }

    /** Plants a bug that the crashes must bring to light. */
    void skipFlushes() {
        recording.ignoreFlushes(Integer.MAX_VALUE);
    }

    private static Map<String, byte[]> copyOf(Map<String, byte[]> contents) {
        final Map<String, byte[]> copy = new TreeMap<>();
        contents.forEach((name, bytes) -> copy.put(name, bytes.clone()));
        return copy;
    }

    /** One of the names, by a number that says which. */
    private static String pick(Map<String, ?> from, int which) {
        return new ArrayList<>(from.keySet()).get(which % from.size());
    }

    private String volume(int which) {
        return pick(current, which);
    }

    private State last() {
        return states.getLast();
    }

    private String newName(String prefix) {
        return prefix + namesGiven++;
    }

    // ---- actions ----

    void write(int which, double where, int length, long seed, boolean compresses) {
        final String name = volume(which);
        final byte[] content = current.get(name);
        final byte[] bytes = new byte[Math.min(length, content.length)];
        if (compresses) {
            Arrays.fill(bytes, (byte) seed);
        } else {
            new Random(seed).nextBytes(bytes);
        }
        final int offset = (int) (where * (content.length - bytes.length));
        System.arraycopy(bytes, 0, content, offset, bytes.length);
        final MemorySegment source = MemorySegment.ofArray(bytes);
        if (seed % 2 == 0) {
            store.volume(name).write(offset, source);
        } else {
            MemorySegment.copy(source, 0, store.volume(name).memory(), offset, bytes.length);
        }
    }

    /** A state is issued before the store can make it durable, acknowledged after it has said so. */
    private void commit(State state, boolean durable, Runnable action) {
        states.add(state);
        recording.issued(states.size() - 1);
        action.run();
        if (durable) {
            acknowledge();
        }
    }

    private void acknowledge() {
        acknowledged = states.size() - 1;
        recording.acked(acknowledged);
    }

    private State allCommitted() {
        return new State(copyOf(current), last().copy().snapshots);
    }

    private State oneCommitted(String name) {
        final State state = last().copy();
        state.volumes.put(name, current.get(name).clone());
        return state;
    }

    void commit() {
        commit(allCommitted(), true, store::commit);
    }

    void commitAsync() {
        commit(allCommitted(), false, store::commitAsync);
    }

    void sync() {
        store.sync();
        acknowledge();
    }

    void commitOne(int which) {
        final String name = volume(which);
        commit(oneCommitted(name), true, store.volume(name)::commit);
    }

    void rollback() {
        store.rollback();
        current = copyOf(last().volumes);
        check();
    }

    void rollbackOne(int which) {
        final String name = volume(which);
        store.volume(name).rollback();
        current.put(name, last().volumes.get(name).clone());
        check();
    }

    void checkpoint() {
        store.checkpoint();
    }

    /** The size is durable at once, and so is that what lay beyond it is gone. */
    void resize(int which, int pages) {
        final String name = volume(which);
        final int bytes = pages * store.volume(name).pageSizeBytes();
        final State state = last().copy();
        state.volumes.put(name, Arrays.copyOf(state.volumes.get(name), bytes));
        commit(state, true, () -> store.volume(name).resize(bytes));
        current.put(name, Arrays.copyOf(current.get(name), bytes));
        check();
    }

    void reopen() {
        store.close();
        acknowledge();
        store = Store.open(directory, OPTIONS);
        current = copyOf(last().volumes);
        check();
    }

    // ---- snapshots ----

    private boolean isFull() {
        return last().snapshots.size() >= SNAPSHOTS_MAX;
    }

    void snapshot(int which) {
        if (isFull()) {
            return;
        }
        final String volume = volume(which);
        final String name = newName("s");
        final State state = oneCommitted(volume);
        state.snapshots.put(volume + "@" + name, state.volumes.get(volume));
        commit(state, true, () -> store.volume(volume).snapshot(name));
    }

    void snapshotCommitted(int which) {
        if (isFull()) {
            return;
        }
        final String volume = volume(which);
        final String name = newName("s");
        final State state = last().copy();
        state.snapshots.put(volume + "@" + name, state.volumes.get(volume));
        commit(state, true, () -> store.volume(volume).snapshotCommitted(name));
    }

    void snapshotAll() {
        if (isFull()) {
            return;
        }
        final String name = newName("s");
        final State state = allCommitted();
        state.volumes.forEach((volume, bytes) -> state.snapshots.put(volume + "@" + name, bytes));
        commit(state, true, () -> store.snapshot(name, store.volumes()));
    }

    void cloneSnapshot(int which) {
        if (last().snapshots.isEmpty() || current.size() >= VOLUMES_MAX) {
            return;
        }
        final String snapshot = pick(last().snapshots, which);
        final String clone = newName("c");
        final State state = last().copy();
        state.volumes.put(clone, state.snapshots.get(snapshot));
        commit(state, true, () -> store.snapshotNamed(snapshot).cloneAs(clone));
        current.put(clone, state.volumes.get(clone).clone());
        origins.put(clone, snapshot);
        check();
    }

    void rollbackTo(int which) {
        if (last().snapshots.isEmpty()) {
            return;
        }
        final Snapshot snapshot = store.snapshotNamed(pick(last().snapshots, which));
        final String volume = snapshot.volumeName();
        final State state = last().copy();
        state.volumes.put(volume, state.snapshots.get(snapshot.fullName()));
        commit(state, true, () -> store.volume(volume).rollbackTo(snapshot));
        current.put(volume, state.volumes.get(volume).clone());
        check();
    }

    void deleteSnapshot(int which) {
        if (last().snapshots.isEmpty()) {
            return;
        }
        final Snapshot snapshot = store.snapshotNamed(pick(last().snapshots, which));
        snapshot.release();
        final State state = last().copy();
        state.snapshots.remove(snapshot.fullName());
        commitUnlessBusy(state, origins.containsValue(snapshot.fullName()), snapshot::delete);
    }

    void deleteVolume(int which) {
        final String volume = volume(which);
        if (!origins.containsKey(volume)) {
            return; // the first ones stay
        }
        final State state = last().copy();
        state.volumes.remove(volume);
        final boolean busy = last().snapshots.keySet().stream().anyMatch(name -> name.startsWith(volume + "@"));
        if (commitUnlessBusy(state, busy, () -> store.deleteVolume(volume))) {
            current.remove(volume);
            origins.remove(volume);
        }
        check();
    }

    /** What is refused has changed nothing. */
    private boolean commitUnlessBusy(State state, boolean mayBeBusy, Runnable action) {
        try {
            commit(state, true, action);
            return true;
        } catch (StoreBusyException e) {
            assertTrue(mayBeBusy, e::toString);
            commit(states.get(states.size() - 2), true, () -> {});
            return false;
        }
    }

    // ---- checks ----

    void check() {
        final String difference = difference(store, new State(current, last().snapshots));
        if (difference != null) {
            fail(difference);
        }
    }

    /** Where a store differs from a state, or null. */
    private static String difference(Store store, State state) {
        final List<String> volumes = store.volumes().stream().map(Volume::name).toList();
        if (!volumes.equals(List.copyOf(state.volumes.keySet()))) {
            return "volumes %s, not %s".formatted(volumes, state.volumes.keySet());
        }
        final List<String> snapshots = store.snapshots().stream().map(Snapshot::fullName).sorted().toList();
        if (!snapshots.equals(List.copyOf(state.snapshots.keySet()))) {
            return "snapshots %s, not %s".formatted(snapshots, state.snapshots.keySet());
        }
        for (Volume volume : store.volumes()) {
            final String difference = difference(volume.name(), volume.memory(), state.volumes.get(volume.name()));
            if (difference != null) {
                return difference;
            }
        }
        for (Snapshot snapshot : store.snapshots()) {
            final byte[] expected = state.snapshots.get(snapshot.fullName());
            final String difference = difference(snapshot.fullName(), snapshot.memory(), expected);
            if (difference != null) {
                return difference;
            }
        }
        return null;
    }

    private static String difference(String name, MemorySegment memory, byte[] expected) {
        if (memory.byteSize() != expected.length) {
            return "%s has %d bytes, not %d".formatted(name, memory.byteSize(), expected.length);
        }
        final long at = memory.mismatch(MemorySegment.ofArray(expected));
        return at < 0 ? null : "%s differs at %d".formatted(name, at);
    }

    /** Closes the store; what is on the disk agrees with what it says of itself. */
    void checkClosed() {
        store.close();
        checkFile(TestStores.dataFile(directory));
    }

    private static void checkFile(Path file) {
        final StoreReport report = StoreChecker.check(file, (done, total) -> {});
        assertTrue(report.isClean(), () -> report.defects().toString());
    }

    /** Which states may be there after a crash. */
    private record Crash(int acknowledged, int issued, MemoryDevice left) {}

    /** Crashes before an operation, recovers, and sees that the store holds one of the states that it may; twice. */
    void crash(int at, boolean powerLoss, long seed, Path copy) throws IOException {
        Files.createDirectories(copy);
        final Crash crash = crashed(at, powerLoss, new Random(seed));
        try (SimulatedDisk crashed = new SimulatedDisk(copy)) {
            final KeptDevice left = new KeptDevice(crash.left);
            crashed.insert(left);
            int recovered = -1;
            for (int i = 0; i < 2; i++) {
                try (Store opened = Store.open(copy, OPTIONS)) {
                    recovered = recovered(opened, crash, recovered);
                } catch (StoreException e) {
                    throw new AssertionError("crash before operation %d of %d, power loss=%s seed=%d: cannot be opened"
                            .formatted(at, operations(), powerLoss, seed), e);
                }
            }
            checkFile(TestStores.dataFile(copy));
            left.dispose();
        }
    }

    /** What a killed process leaves, which is all; or a loss of power, which decides by chance about what was not flushed. */
    private Crash crashed(int at, boolean powerLoss, Random random) {
        final byte[] durable = recording.startImage();
        final List<RecordingDevice.Left> left = new ArrayList<>();
        int flushed = 0;
        int acked = 0;
        int issued = 0;
        for (RecordingDevice.Event event : recording.events().subList(0, at)) {
            switch (event.kind()) {
                case WRITE -> left.add(new RecordingDevice.Left(event, null));
                case FLUSH -> flushed = left.size();
                case ISSUED -> issued = event.number();
                case ACKED -> acked = event.number();
                default -> throw new IllegalStateException(event.kind().name());
            }
        }
        for (int i = left.size() - 1; powerLoss && i >= flushed; i--) {
            decide(left, i, random);
        }
        final long sizeBytes = at == 0 ? 0 : recording.events().get(at - 1).sizeBytes();
        return new Crash(acked, issued, RecordingDevice.materialize(durable, sizeBytes, left));
    }

    /** Whether a write is there, or is not, or some of its sectors are. */
    private static void decide(List<RecordingDevice.Left> left, int i, Random random) {
        final int fate = random.nextInt(3);
        if (fate == 0) {
            left.remove(i);
        } else if (fate == 1) {
            final RecordingDevice.Event write = left.get(i).write();
            final BitSet sectors = new BitSet();
            for (int at = 0; at < write.bytes().length; at += RecordingDevice.SECTOR_BYTES) {
                sectors.set(at / RecordingDevice.SECTOR_BYTES, random.nextBoolean());
            }
            left.set(i, new RecordingDevice.Left(write, sectors));
        }
    }

    private int recovered(Store opened, Crash crash, int before) {
        final StringBuilder differences = new StringBuilder();
        for (int i = before < 0 ? crash.acknowledged : before; i <= (before < 0 ? crash.issued : before); i++) {
            final String difference = difference(opened, states.get(i));
            if (difference == null) {
                return i;
            }
            differences.append("state ").append(i).append(": ").append(difference).append('\n');
        }
        return fail("recovered none of the states %d to %d:%n%s"
                .formatted(crash.acknowledged, crash.issued, differences));
    }

    @Override
    public void close() {
        store.close();
        disk.close();
        recording.dispose();
    }
}
