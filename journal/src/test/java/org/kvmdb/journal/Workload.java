package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;
import org.kvmdb.journal.simulation.RecordingDevice;

/**
 * A journal that is written to, and the model of it beside: every step does the same to both, and marks on a recording
 * device when a commit was issued and when it was acknowledged. Seeded; for one thread.
 */
public final class Workload implements AutoCloseable {

    /** Says which commit a journal that was opened stands at, and throws when it may not. */
    interface Judge {
        /** A journal is about to be opened. */
        default void opens() {}

        int commitOf(Journal journal, Workload work);
    }

    private static final int DICTIONARY_BYTES = 4096;

    private record Stolen(String volume, long lpn, long version, long ppn) {}

    private final KeptDevice device;
    private final StoreModel model;
    private final SplittableRandom random;
    private final SplittableRandom randomOfSteps;
    private final JournalOptions options;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment page = arena.allocate(1 << 16, 64);
    private final MemorySegment payload = arena.allocate(1 << 16, 64);
    private final MemorySegment encoded = arena.allocate(BlockEncoder.destinationLength(16), 64);
    private final List<Stolen> stolen = new ArrayList<>();
    private Journal journal;
    private long version;
    private int acked;
    private int issued;
    /** The last commit that the journal took: what was issued behind it was refused. */
    private int applied;

    /** Sequence of the last batch of a commit. */
    private final Map<Integer, Long> sequences = new HashMap<>();

    private Judge judge =
            (opened, work) -> work.model.commitOf(StoreModel.read(opened), work.acked, work.issued);
    private int fullCount;
    /** Random steps touch every so many-th page. */
    private long stride = 1;

    private RandomSteps randomSteps;

    public Workload(KeptDevice device, JournalOptions options, long seed) {
        this(device, options, seed, new StoreModel(), 0);
    }

    /**
     * Goes on with a store, once it is {@linkplain #reopen opened}.
     *
     * @param model whose commit 0 is what the store holds
     * @param version from which on pages get new ones
     */
    Workload(KeptDevice device, JournalOptions options, long seed, StoreModel model, long version) {
        this.device = device;
        this.random = new SplittableRandom(seed);
        this.randomOfSteps = random.split();
        this.options = options.withRandom(random.split());
        this.model = model;
        this.version = version;
    }

    /** Goes on where another one, whose store is not open, stands: on its store or a copy of it. */
    Workload(KeptDevice device, Workload other, long seed) {
        this.device = device;
        this.random = new SplittableRandom(seed);
        this.randomOfSteps = random.split();
        this.options = other.options.withRandom(random.split());
        this.model = other.model.copy();
        version = other.version;
        acked = other.acked;
        issued = other.issued;
        applied = other.applied;
        stride = other.stride;
        sequences.putAll(other.sequences);
    }

    /** Has someone else say what a journal that is opened stands at. */
    Workload withJudge(Judge value) {
        judge = value;
        return this;
    }

    /** Lets random steps touch pages that lie that far apart, and volumes be that much larger. */
    public Workload withStride(long pages) {
        stride = pages;
        return this;
    }

    /** Small segments, little space, so that everything happens early. */
    public static JournalOptions tinyOptions() {
        return JournalOptions.defaults()
                .withSegmentSizeBytes(64 << 10)
                .withClock(() -> Instant.EPOCH)
                .withMaxSizeBytes((1 << 20) + 48 * (64 << 10))
                .withGrowStepSegments(2)
                .withPooledSegmentsMax(3);
    }

    public void create() {
        journal = Journal.create(device, options);
        ack(0);
    }

    /** Whether the store was made: before, there is nothing to recover. */
    public boolean isCreated() {
        return journal != null;
    }

    public void reopen() {
        stolen.clear();
        device.reopen();
        judge.opens();
        journal = Journal.open(device, options);
        final int found = judge.commitOf(journal, this);
        model.cutTo(found);
        sequences.keySet().removeIf(commit -> commit > found);
        issued = found;
        applied = found;
        ack(found);
    }

    public void closeJournal() {
        journal.close();
        ack(issued);
    }

    /** As a process that is killed: nothing more is written. */
    public void kill() {
        journal.kill();
    }

    public Journal journal() {
        return journal;
    }

    public KeptDevice device() {
        return device;
    }

    public StoreModel model() {
        return model;
    }

    public int acked() {
        return acked;
    }

    public int issued() {
        return issued;
    }

    /** Compares what the journal shows with all that was issued, and checks its account of space. */
    void checkAllIssued() {
        final int shown = model.commitOf(StoreModel.read(journal), issued, issued);
        if (shown != issued) {
            throw new AssertionError("commit %d is shown, of %d".formatted(shown, issued));
        }
        SpaceCheck.check(journal);
    }

    /** Changes a bit in the middle of a block, or changes it back. */
    void flipBitOf(long ppn) {
        final long position = journal.parts().segments().position(Ppn.segment(ppn)) + Ppn.offsetBytes(ppn);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment block = arena.allocate(Ppn.lengthBytes(ppn));
            device.read(position, block);
            Fields.putByte(block, block.byteSize() / 2, Fields.byteAt(block, block.byteSize() / 2) ^ 4);
            device.write(position, block);
        }
    }

    /** The last commit that the journal took. */
    public int applied() {
        return applied;
    }

    /** Sequence of the last batch of a commit that was acknowledged. */
    long sequence(int commit) {
        return sequences.get(commit);
    }

    JournalOptions options() {
        return options;
    }

    // ---- steps ----

    public void createVolume(String name, long sizeBytes, int pageShift) {
        model.now().put(name, new StoreModel.Volume(sizeBytes, pageShift, 0));
        issue();
        journal.createVolume(name, sizeBytes, pageShift);
        ack(issued);
    }

    public void deleteVolume(String name) {
        model.now().remove(name);
        stolen.removeIf(one -> {
            if (one.volume.equals(name)) {
                journal.dropStolen(one.ppn);
            }
            return one.volume.equals(name);
        });
        issue();
        journal.deleteVolume(journal.volume(name).id());
        ack(issued);
    }

    public void resizeVolume(String name, long sizeBytes) {
        final StoreModel.Volume volume = model.now().get(name);
        volume.sizeBytes = sizeBytes;
        volume.pages.tailMap(VolumeEntry.pageCount(sizeBytes, volume.pageShift)).clear();
        stolen.removeIf(one -> {
            final boolean gone = one.volume.equals(name)
                    && one.lpn >= VolumeEntry.pageCount(sizeBytes, volume.pageShift);
            if (gone) {
                journal.dropStolen(one.ppn);
            }
            return gone;
        });
        issue();
        journal.resizeVolume(journal.volume(name).id(), sizeBytes);
        ack(issued);
    }

    public void quota(String name, long bytes) {
        model.now().get(name).quotaBytes = bytes;
        issue();
        journal.versions().quota(journal.volume(name).id(), bytes);
        ack(issued);
    }

    public void snapshot(String volume, String name) {
        model.now().put(volume + '@' + name, model.now().get(volume).withoutQuota());
        issue();
        journal.versions().createSnapshots(List.of(journal.volume(volume).id()), name);
        ack(issued);
    }

    public void cloneSnapshot(String snapshot, String volume) {
        model.now().put(volume, model.now().get(snapshot).copy());
        issue();
        journal.versions().cloneSnapshot(entry(snapshot).id(), volume);
        ack(issued);
    }

    public void deleteSnapshot(String snapshot) {
        final SnapshotEntry entry = entry(snapshot);
        model.now().remove(snapshot);
        issue();
        journal.versions().deleteSnapshot(entry.id());
        ack(issued);
    }

    public void rollbackTo(String volume, String snapshot) {
        stolen.stream().filter(one -> one.volume.equals(volume)).forEach(one -> journal.dropStolen(one.ppn));
        stolen.removeIf(one -> one.volume.equals(volume));
        final StoreModel.Volume content = model.now().get(snapshot).copy();
        content.quotaBytes = model.now().get(volume).quotaBytes;
        model.now().put(volume, content);
        issue();
        journal.versions().rollbackTo(journal.volume(volume).id(), entry(snapshot).id());
        ack(issued);
    }

    /** Sends a snapshot to the same store; on top of another one when there is one below it. */
    public void sendAndReceive(String snapshot, String name) {
        final SnapshotEntry sent = entry(snapshot);
        final String volume = StoreModel.nameFrom(sent, name);
        final SnapshotEntry base = sent.parent() instanceof SnapshotEntry below
                        && !below.isDeleted()
                        && below.volumeId() == sent.volumeId()
                ? below
                : null;
        if (base != null) {
            receive(base, null, volume);
        }
        receive(sent, base, volume);
    }

    private void receive(SnapshotEntry sent, SnapshotEntry base, String volume) {
        final byte[] stream = TestStreams.send(journal, sent, base);
        final StoreModel.Volume content = model.now().get(sent.name());
        model.now().put(volume, content.copy());
        model.now().put(volume + '@' + sent.snapshotName(), content.copy());
        issue();
        try {
            TestStreams.receive(journal, stream, volume, false);
        } catch (StorageException e) {
            SnapshotReceiver.abandon(journal, volume);
            throw e;
        }
        ack(issued);
    }

    private SnapshotEntry entry(String snapshot) {
        final int at = snapshot.indexOf('@');
        return journal.versions().snapshot(snapshot.substring(0, at), snapshot.substring(at + 1));
    }

    /** A piece of deleting; true while there is more. */
    public boolean drop(int blocksMax) {
        return journal.versions().dropStep(blocksMax);
    }

    public void dropAll() {
        boolean more = true;
        while (more) {
            more = drop(1000);
        }
    }

    /** Commits pages, with what was stolen; synchronously, or with a later {@link #sync}. */
    public void put(String name, boolean synchronous, long... lpns) {
        put(name, synchronous, null, lpns);
    }

    /** As {@link #put}, and takes a snapshot with it unless that is null. */
    public void put(String name, boolean synchronous, String snapshot, long... lpns) {
        final int id = journal.volume(name).id();
        final long reserved = reserve(lpns);
        try (Append append = journal.beginAppend()) {
            referStolen(append);
            for (long lpn : lpns) {
                append.page(id, lpn, block(name, lpn, ++version));
                model.now().get(name).pages.put(lpn, version);
            }
            model.now().get(name).lsn = ++version;
            append.lsn(id, version);
            if (snapshot != null) {
                append.snapshot(id, snapshot);
                model.now().put(name + '@' + snapshot, model.now().get(name).withoutQuota());
            }
            finish(append, synchronous);
        } finally {
            journal.space().release(reserved);
        }
    }

    /** As the fault handler does when a page becomes dirty: for its block, and for the map nodes of the leaf's path. */
    private long reserve(long... lpns) {
        final long leaves = Arrays.stream(lpns).map(lpn -> lpn >>> 9).distinct().count();
        final long bytes = lpns.length * (BlockEncoder.blockLengthMax(12) + 256L) + leaves * 4 * (8192 + 128);
        if (!journal.space().tryReserve(bytes)) {
            throw new StorageException(ErrorCode.STORE_FULL, "no room for %d pages".formatted(lpns.length));
        }
        return bytes;
    }

    public void trim(String name, boolean synchronous, long... lpns) {
        final int id = journal.volume(name).id();
        final long reserved = reserve(lpns);
        try (Append append = journal.beginAppend()) {
            for (long lpn : lpns) {
                append.trim(id, lpn);
                model.now().get(name).pages.remove(lpn);
            }
            finish(append, synchronous);
        } finally {
            journal.space().release(reserved);
        }
    }

    /** Commits what was stolen, by reference alone. */
    public void putStolen(boolean synchronous) {
        try (Append append = journal.beginAppend()) {
            referStolen(append);
            finish(append, synchronous);
        }
    }

    private void referStolen(Append append) {
        for (Stolen one : stolen) {
            append.reference(journal.volume(one.volume).id(), one.lpn, one.ppn);
            model.now().get(one.volume).pages.put(one.lpn, one.version);
        }
    }

    private void finish(Append append, boolean synchronous) {
        issue();
        sequences.put(issued, append.commit());
        if (synchronous) {
            append.flush();
        }
        append.apply();
        applied = issued;
        stolen.clear();
        if (synchronous) {
            ack(issued);
        }
    }

    /** Writes pages ahead of their commit. */
    public void steal(String name, long... lpns) {
        final int id = journal.volume(name).id();
        final List<Stolen> now = new ArrayList<>();
        journal.space().release(reserve(lpns)); // so much of it was there
        try (Append append = journal.beginAppend()) {
            for (long lpn : lpns) {
                now.add(new Stolen(name, lpn, ++version, append.page(id, lpn, block(name, lpn, version))));
            }
            append.stolen();
        }
        for (Stolen one : now) {
            stolen.removeIf(old -> {
                if (old.volume.equals(name) && old.lpn == one.lpn) {
                    journal.dropStolen(old.ppn);
                    return true;
                }
                return false;
            });
        }
        stolen.addAll(now);
    }

    public void rollBackStolen() {
        stolen.forEach(one -> journal.dropStolen(one.ppn));
        stolen.clear();
    }

    /** An append that is given up after some batches. */
    public void abandon(String name, long... lpns) {
        final int id = journal.volume(name).id();
        try (Append append = journal.beginAppend()) {
            for (long lpn : lpns) {
                append.page(id, lpn, block(name, lpn, ++version));
            }
        }
    }

    /** Moves what is live out of some segments, into as many streams as the seed says. */
    public void clean(int countMax) {
        final SegmentMover mover = journal.mover();
        final int[] segments = mover.census().segments();
        final int[] streamOfClass = new int[SegmentCensus.CLASSES];
        for (int i = 0; i < streamOfClass.length; i++) {
            streamOfClass[i] = random.nextInt(2);
        }
        try {
            for (int i = 0; i < Math.min(countMax, segments.length); i++) {
                mover.collect(segments[random.nextInt(segments.length)], streamOfClass);
            }
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
        }
        mover.publish();
    }

    public void sync() {
        journal.flush();
        ack(issued);
    }

    public void checkpoint() {
        journal.checkpoint();
        ack(issued);
    }

    /** One of a page that no store holds; it makes no difference to the model. */
    public void offerDictionary() {
        PageContent.fill(page.asSlice(0, DICTIONARY_BYTES), 0, 0, 2);
        final CompressionDictionary dictionary = CompressionDictionary.of(page.asSlice(0, DICTIONARY_BYTES));
        journal.look(() -> {
            journal.parts().dictionary().offer(dictionary);
            return null;
        });
    }

    private MemorySegment block(String name, long lpn, long ofVersion) {
        final int shift = journal.volume(name).pageShift();
        final MemorySegment target = page.asSlice(0, 1L << shift);
        PageContent.fill(target, StoreModel.contentOf(journal.volume(name)), lpn, ofVersion);
        final CompressionDictionary dictionary = journal.parts().dictionary().inUse();
        final int length = dictionary == null ? 0 : dictionary.compress(target, payload.asSlice(0, target.byteSize() - 1));
        return length == 0
                ? encoded.asSlice(0, BlockEncoder.encode(target, shift, encoded))
                : BlockEncoder.wrap(payload.asSlice(0, length), BlockDescriptor.CODEC_LZ4_DICTIONARY, shift, encoded);
    }

    private void issue() {
        issued = model.nextCommit();
        model.committed();
        if (device instanceof RecordingDevice recording) {
            recording.issued(issued);
        }
    }

    private void ack(int commit) {
        acked = commit;
        sequences.putIfAbsent(commit, journal.sequence());
        applied = Math.max(applied, commit);
        if (device instanceof RecordingDevice recording) {
            recording.acked(commit);
        }
    }

    // ---- steps as text ----

    /** A random step, which is returned. */
    public Step randomStep() {
        if (randomSteps == null) {
            randomSteps = new RandomSteps(this, randomOfSteps, stride);
        }
        final Step step = randomSteps.next();
        perform(step);
        return step;
    }

    /** Runs a step, which must be possible. One that found the store full changed nothing; then room is made. */
    public void perform(Step step) {
        try {
            step.run(this);
        } catch (StorageException e) {
            if (e.code() != ErrorCode.STORE_FULL) {
                throw e;
            }
            fullCount++;
            giveUp();
            rollBackStolen();
            if (fullCount % 2 == 0) {
                makeRoom();
            }
            dropAll();
            checkpoint();
        }
    }

    /** Deletes what can be deleted, at least one volume. */
    private void makeRoom() {
        final int before = volumes().size();
        while (!model.now().isEmpty() && volumes().size() == before) {
            deletable().ifPresent(name -> {
                if (name.indexOf('@') < 0) {
                    deleteVolume(name);
                } else {
                    deleteSnapshot(name);
                }
            });
        }
    }

    private Optional<String> deletable() {
        return model.now().keySet().stream().filter(this::isDeletable).findFirst();
    }

    boolean isDeletable(String name) {
        if (name.indexOf('@') < 0) {
            return model.now().keySet().stream().noneMatch(other -> other.startsWith(name + '@'));
        }
        final SnapshotEntry entry = entry(name);
        return entry.children().stream().allMatch(child -> child.isDeleted()
                || child == entry.volume()
                || child instanceof SnapshotEntry other && other.volume() == entry.volume());
    }

    List<String> volumes() {
        return model.now().keySet().stream().filter(name -> name.indexOf('@') < 0).toList();
    }

    List<String> snapshots() {
        return model.now().keySet().stream().filter(name -> name.indexOf('@') >= 0).toList();
    }

    /** Whether there is a volume or a snapshot of that name. */
    boolean has(String name) {
        return model.now().containsKey(name);
    }

    long pageCount(String name) {
        final StoreModel.Volume volume = model.now().get(name);
        return VolumeEntry.pageCount(volume.sizeBytes, volume.pageShift);
    }

    boolean hasStolen() {
        return !stolen.isEmpty();
    }

    /** Name of a volume that is cloned from a snapshot, or received from it. */
    String nameFrom(String snapshot, String name) {
        return StoreModel.nameFrom(entry(snapshot), name);
    }

    boolean hasReceived(String snapshot, String name) {
        return has(nameFrom(snapshot, name));
    }

    /** After a step that was refused: the model goes back to what the journal took. */
    public void giveUp() {
        model.cutTo(applied);
        sequences.keySet().removeIf(commit -> commit > applied);
        issued = applied;
    }

    /** How often the store was found full. */
    public int fullCount() {
        return fullCount;
    }

    @Override
    public void close() {
        try {
            if (journal != null && !device.isClosed()) {
                journal.kill();
            }
        } finally {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }
    }
}
