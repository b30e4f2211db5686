package org.kvmdb.journal.simulation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.kvmdb.journal.MemoryDevice;

/**
 * Walks through what crashes could have left of a recorded run: all that was written up to the last completed flush, and
 * of what was written since any subset, each write whole, absent or torn, in any order of its sectors.
 *
 * <p>All subsets are tried where there are few: of the sectors when all pending writes have few of them, else of the
 * writes. Beyond that: all prefixes, all but one, one alone, all but two, two alone, and some by chance; each write torn
 * at 512 bytes and at 4 KiB (a beginning, an end, a hole, some by chance), behind whole ones before it or among whole ones;
 * and all of them torn. A flush that lied is one that completed and flushed nothing: what it should have made durable is
 * pending with what was written until the next one.
 *
 * <p>A state that holds a write was reached after it: what was issued by then bounds what may be found. What was
 * acknowledged at any time before the next flush bounds it from below, for only a flush that was before may be the reason.
 */
public final class CrashStates {

    /** What is special in a state; in the order in which one is preferred that is reached in several ways. */
    public enum Kind {
        SUBSET("subset of writes"),
        TORN_4K("torn at 4 KiB"),
        TORN_512("torn at 512 bytes"),
        ALL_TORN("every write torn"),
        LYING_FLUSH("lying flush");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        @Override
        public String toString() {
            return label;
        }
    }

    /**
     * How many states are made.
     *
     * @param sectorsOfMax all subsets of so many sectors
     * @param writesOfMax all subsets of so many writes
     * @param pairsOfMax all pairs of so many writes
     * @param random subsets by chance between two flushes, and ways to tear a write by chance
     * @param cuts of each kind in a write; all of them when it has no more
     * @param lyingFlushes whether flushes lie, too
     */
    public record Limits(
            int sectorsOfMax, int writesOfMax, int pairsOfMax, int random, int cuts, boolean lyingFlushes) {

        /** Some of each, for who wants to see hundreds of states of a run and not thousands. */
        public static final Limits FEW = new Limits(0, 5, 0, 4, 1, false);
    }

    /** One state, to be checked against what was acknowledged and issued by then. Valid while it is visited. */
    public final class State {
        private final long number;
        private final Kind kind;
        private final long imageHash;
        private final long sizeBytes;
        private final List<RecordingDevice.Left> left;
        private final int acked;
        private final int issued;

        private State(long number, Kind kind, long hash, List<RecordingDevice.Left> left, int acked, int issued) {
            this.number = number;
            this.kind = kind;
            this.left = left;
            this.acked = acked;
            this.issued = issued;
            // A new length is durable or not; the same image has the same one.
            final long least = left.stream()
                    .mapToLong(one -> one.write().position() + one.write().bytes().length)
                    .reduce(medium.base().length, Math::max);
            sizeBytes = (hash & 1) == 0 ? Math.max(size, least) : least;
            imageHash = hash ^ CampaignTally.mix(sizeBytes);
        }

        /** From 0, in the order of the walk. */
        public long number() {
            return number;
        }

        public Kind kind() {
            return kind;
        }

        /** Of the whole image and its length. */
        public long imageHash() {
            return imageHash;
        }

        public long sizeBytes() {
            return sizeBytes;
        }

        /** What is there of pending writes. */
        public List<RecordingDevice.Left> left() {
            return left;
        }

        public int acked() {
            return acked;
        }

        public int issued() {
            return issued;
        }

        /** The walk's own device with this state, until the next call; whoever opens a store on it may write. */
        public RewindingDevice device() {
            medium.lay(left, sizeBytes);
            return medium;
        }

        /** A device of its own with this state. */
        public MemoryDevice materialize() {
            return RecordingDevice.materialize(medium.base(), sizeBytes, left);
        }

        /** A medium where a process died and the system did not: what is left whole is readable, and not yet durable. */
        public RecordingDevice killed() {
            return RecordingDevice.killed(medium.base().clone(), sizeBytes, whole());
        }

        /** The same where a flush had failed before: what is left whole is readable, and no flush makes it durable. */
        public RecordingDevice unflushable() {
            return RecordingDevice.unflushable(medium.base().clone(), sizeBytes, whole());
        }

        private List<RecordingDevice.Event> whole() {
            return left.stream().filter(one -> one.sectors() == null).map(RecordingDevice.Left::write).toList();
        }

        @Override
        public String toString() {
            return "state %d %016x (%s, %d writes left, acked=%d issued=%d)"
                    .formatted(number, imageHash, kind, left.size(), acked, issued);
        }
    }

    public interface Visitor {
        void visit(State state);
    }

    private static final int SECTORS_PER_PAGE = 8;

    private final RecordingDevice recording;
    private final Visitor visitor;
    private final long seed;
    /** Made anew at each flush: which states it has does not depend on where the walk began. */
    private SplittableRandom random;

    private final Limits limits;
    private final ImageHash hash;
    private List<PendingWrite> pending = new ArrayList<>();
    /** Those of them that change the image at all. */
    private final List<PendingWrite> telling = new ArrayList<>();
    private RewindingDevice medium;
    /** Length of the device at the last event. */
    private long size;
    private int acked;
    private int issued;
    private int issuedAtFlush;
    private boolean lying;
    private long count;

    public CrashStates(RecordingDevice recording, long seed, Limits limits, Visitor visitor) {
        this.recording = recording;
        this.visitor = visitor;
        this.seed = seed;
        this.limits = limits;
        hash = new ImageHash(recording.startImage());
    }

    /** Visits the states of the events from the given one on; returns how many they were. */
    public long walk(int fromEvent, int ackedBefore, int issuedBefore) {
        acked = ackedBefore;
        issued = issuedBefore;
        issuedAtFlush = issuedBefore;
        medium = new RewindingDevice(recording.startImage());
        try {
            for (int i = 0; i < recording.events().size(); i++) {
                final RecordingDevice.Event event = recording.events().get(i);
                if (event.kind() == RecordingDevice.Kind.FLUSH && i >= fromEvent) {
                    size = event.sizeBytes();
                    epoch(i);
                    lie(i);
                }
                take(event);
            }
            epoch(recording.events().size());
            return count;
        } finally {
            medium.free();
        }
    }

    private void take(RecordingDevice.Event event) {
        size = event.sizeBytes();
        switch (event.kind()) {
            case WRITE -> pending.add(new PendingWrite(event, issued));
            case ISSUED -> issued = event.number();
            case ACKED -> acked = event.number();
            case FLUSH -> {
                medium.settle(pending.stream().map(write -> write.event).toList(), size);
                pending.forEach(write -> hash.settle(write.event.position(), write.hashes));
                pending.clear();
                issuedAtFlush = issued;
            }
            default -> throw new IllegalStateException(event.kind().name());
        }
    }

    private void epoch(int end) {
        random = new SplittableRandom(CampaignTally.mix(seed + end));
        judge();
        int sectors = 0;
        for (PendingWrite write : telling) {
            sectors += write.sectors.length;
        }
        if (sectors <= limits.sectorsOfMax) {
            allSectors(sectors);
            return;
        }
        subsets();
        for (PendingWrite write : telling) {
            torn(write);
        }
        for (int i = 0; telling.size() > 1 && i < limits.random; i++) {
            allTorn();
        }
    }

    /** Finds which sectors of pending writes make a difference, and which writes have any. */
    private void judge() {
        telling.clear();
        for (PendingWrite write : pending) {
            final boolean isAlone = pending.stream().noneMatch(other -> other != write && other.overlaps(write));
            write.sectors = IntStream.range(0, write.hashes.length)
                    .filter(i -> !isAlone || hash.differs(write.positionOf(i), write.hashes[i]))
                    .toArray();
            write.pages = Arrays.stream(write.sectors).map(i -> i / SECTORS_PER_PAGE).distinct().toArray();
            if (write.sectors.length > 0) {
                telling.add(write);
            }
        }
    }

    // ---- whole writes ----

    private void allSectors(int sectors) {
        for (int bits = 0; bits < 1 << sectors; bits++) {
            final List<Part> parts = new ArrayList<>();
            Kind kind = Kind.SUBSET;
            int at = 0;
            for (PendingWrite write : telling) {
                final int all = (1 << write.sectors.length) - 1;
                final int there = bits >>> at & all;
                at += write.sectors.length;
                if (there == all) {
                    parts.add(write.whole());
                } else if (there != 0) {
                    kind = Kind.TORN_512;
                    parts.add(write.torn(write.chosen(i -> (there >>> i & 1) != 0)));
                }
            }
            visit(kind, parts);
        }
    }

    private void subsets() {
        final int n = telling.size();
        if (n <= limits.writesOfMax) {
            for (int bits = 0; bits < 1 << n; bits++) {
                final int chosen = bits;
                subset(i -> (chosen >>> i & 1) != 0);
            }
            return;
        }
        for (int i = 0; i <= n; i++) {
            final int at = i;
            subset(j -> j < at);
            if (i < n) {
                subset(j -> j != at);
                subset(j -> j == at);
            }
            for (int k = i + 1; k < n && n <= limits.pairsOfMax; k++) {
                final int other = k;
                subset(j -> j != at && j != other);
                subset(j -> j == at || j == other);
            }
        }
        for (int i = 0; i < limits.random; i++) {
            subset(j -> random.nextBoolean());
        }
    }

    private void subset(IntPredicate chosen) {
        final List<Part> parts = new ArrayList<>();
        for (int i = 0; i < telling.size(); i++) {
            if (chosen.test(i)) {
                parts.add(telling.get(i).whole());
            }
        }
        visit(Kind.SUBSET, parts);
    }

    // ---- torn ones ----

    private void torn(PendingWrite write) {
        cuts(write, write.sectors, 1, Kind.TORN_512);
        cuts(write, write.pages, SECTORS_PER_PAGE, Kind.TORN_4K);
        for (int i = 0; write.sectors.length > 1 && i < limits.random; i++) {
            tear(write, Kind.TORN_512, write.some(random));
        }
    }

    /** A write in units of so many sectors: its beginning, its end, and it without one of them. */
    private void cuts(PendingWrite write, int[] units, int sectorsOfUnit, Kind kind) {
        final int length = write.hashes.length;
        final boolean isEach = units.length - 1 <= limits.cuts;
        for (int i = 0; i < Math.min(units.length - 1, limits.cuts); i++) {
            final int cut = sectorsOfUnit * units[isEach ? 1 + i : 1 + random.nextInt(units.length - 1)];
            tear(write, kind, range(0, cut));
            tear(write, kind, range(cut, length));
            final BitSet hole = range(0, length);
            hole.clear(cut, cut + sectorsOfUnit);
            tear(write, kind, hole);
        }
    }

    private static BitSet range(int from, int end) {
        final BitSet result = new BitSet();
        result.set(from, end);
        return result;
    }

    /** Behind whole ones before it; or, by chance, among whole ones. */
    private void tear(PendingWrite torn, Kind kind, BitSet there) {
        final boolean isAmongAll = random.nextInt(3) == 0;
        final List<Part> parts = new ArrayList<>();
        for (PendingWrite write : telling) {
            parts.add(write == torn ? write.torn(there) : write.whole());
            if (write == torn && !isAmongAll) {
                break;
            }
        }
        visit(kind, parts);
    }

    /** Every pending write has lost sectors: what is written twice for safety may not hang in the same flush. */
    private void allTorn() {
        visit(Kind.ALL_TORN, telling.stream().map(write -> write.torn(write.some(random))).toList());
    }

    // ---- flushes that lie ----

    /** The flush at that event did nothing: what is pending stays so until the next one. */
    private void lie(int flush) {
        if (!limits.lyingFlushes || telling.isEmpty()) {
            return;
        }
        final List<PendingWrite> before = pending;
        final long sizeThen = size;
        final int ackedThen = acked;
        final int issuedThen = issued;
        pending = new ArrayList<>(before);
        lying = true;
        final List<RecordingDevice.Event> events = recording.events();
        for (int i = flush + 1; i < events.size() && events.get(i).kind() != RecordingDevice.Kind.FLUSH; i++) {
            take(events.get(i));
        }
        acked = ackedThen; // what relied on this flush may be gone
        judge();
        final int old = (int) telling.stream().takeWhile(before::contains).count();
        for (int j = old; j <= telling.size(); j++) {
            final int end = j;
            subset(i -> i >= old && i < end);
        }
        for (int j = 0; j < old; j++) {
            final int lost = j;
            subset(i -> i != lost);
            tearAmongWhole(telling.get(lost));
        }
        for (int i = 0; i < limits.random; i++) {
            subset(j -> random.nextBoolean());
        }
        allTorn();
        lying = false;
        pending = before;
        size = sizeThen;
        issued = issuedThen;
    }

    private void tearAmongWhole(PendingWrite torn) {
        visit(Kind.LYING_FLUSH, telling.stream()
                .map(write -> write == torn ? write.torn(write.some(random)) : write.whole())
                .toList());
    }

    // ---- visiting ----

    private void visit(Kind kind, List<Part> parts) {
        hash.begin();
        int issuedByThen = Math.max(issuedAtFlush, acked);
        for (Part part : parts) {
            part.overwrite(hash);
            issuedByThen = Math.max(issuedByThen, part.write.issued);
        }
        visitor.visit(new State(
                count++, lying ? Kind.LYING_FLUSH : kind, hash.value(), parts.stream().map(Part::left).toList(), acked,
                issuedByThen));
    }

    /** A write since the last flush, and what was issued before it. */
    private static final class PendingWrite {
        private final RecordingDevice.Event event;
        private final int issued;
        private final long[] hashes;
        /** Those that change the image. */
        private int[] sectors;
        /** Pages of 4 KiB that hold one of those. */
        private int[] pages;

        PendingWrite(RecordingDevice.Event event, int issued) {
            this.event = event;
            this.issued = issued;
            hashes = ImageHash.sectorsOf(event.bytes(), event.position());
        }

        long positionOf(int sector) {
            return event.position() + (long) sector * RecordingDevice.SECTOR_BYTES;
        }

        boolean overlaps(PendingWrite other) {
            return event.position() < other.event.position() + other.event.bytes().length
                    && other.event.position() < event.position() + event.bytes().length;
        }

        Part whole() {
            return new Part(this, null);
        }

        Part torn(BitSet there) {
            return new Part(this, there);
        }

        /** Some of the sectors that tell, by their number among those. */
        BitSet chosen(IntPredicate which) {
            final BitSet result = new BitSet();
            for (int i = 0; i < sectors.length; i++) {
                result.set(sectors[i], which.test(i));
            }
            return result;
        }

        BitSet some(SplittableRandom random) {
            return chosen(i -> random.nextBoolean());
        }
    }

    /** What is there of a write; all of it when there is no set of sectors. */
    private record Part(PendingWrite write, BitSet sectors) {

        RecordingDevice.Left left() {
            return new RecordingDevice.Left(write.event, sectors);
        }

        void overwrite(ImageHash hash) {
            for (int i = 0; i < write.hashes.length; i++) {
                if (sectors == null || sectors.get(i)) {
                    hash.overwrite(write.positionOf(i), write.hashes[i]);
                }
            }
        }
    }
}
