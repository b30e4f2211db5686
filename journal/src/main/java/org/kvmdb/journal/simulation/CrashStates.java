package org.kvmdb.journal.simulation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import org.kvmdb.journal.MemoryDevice;

/**
 * Walks through what crashes could have left of a recorded run. Between two flushes lie the pending writes: all subsets
 * of them when they are few; else all prefixes, all but one, one alone, and some by chance; and each write torn, behind
 * whole ones before it: at 512 bytes, at 4 KiB, and with sectors by chance; and all of them torn.
 */
public final class CrashStates {

    /** One state, to be checked against what was acknowledged and issued by then. */
    public record State(int number, byte[] durable, long sizeBytes, List<RecordingDevice.Left> left, int acked, int issued) {
        public MemoryDevice materialize() {
            return RecordingDevice.materialize(durable, sizeBytes, left);
        }
    }

    public interface Visitor {
        void visit(State state);
    }

    private static final int SUBSETS_OF_MAX = 5;
    private static final int SECTORS_PER_PAGE = 8;

    private final RecordingDevice recording;
    private final Visitor visitor;
    private final SplittableRandom random;
    private final int randomSubsets;
    private final int tornPerWrite;
    private final List<RecordingDevice.Event> pending = new ArrayList<>();
    private byte[] durable;
    /** Length of the device at the last event; of the durable image at the last flush. */
    private long size;
    private int acked;
    private int issued;
    private int count;

    public CrashStates(RecordingDevice recording, long seed, int randomSubsets, int tornPerWrite, Visitor visitor) {
        this.recording = recording;
        this.visitor = visitor;
        this.random = new SplittableRandom(seed);
        this.randomSubsets = randomSubsets;
        this.tornPerWrite = tornPerWrite;
        durable = recording.startImage().clone();
    }

    /** Visits the states of the events from the given one on; returns how many they were. */
    public int walk(int fromEvent, int ackedBefore, int issuedBefore) {
        acked = ackedBefore;
        issued = issuedBefore;
        for (int i = 0; i < recording.events().size(); i++) {
            final RecordingDevice.Event event = recording.events().get(i);
            size = event.sizeBytes();
            switch (event.kind()) {
                case WRITE -> pending.add(event);
                case ISSUED -> issued = event.number();
                case ACKED -> acked = event.number();
                case FLUSH -> {
                    if (i >= fromEvent) {
                        epoch();
                    }
                    settle();
                }
                default -> throw new IllegalStateException(event.kind().name());
            }
        }
        epoch();
        return count;
    }

    private void settle() {
        durable = Arrays.copyOf(durable, (int) size);
        for (RecordingDevice.Event write : pending) {
            System.arraycopy(write.bytes(), 0, durable, (int) write.position(), write.bytes().length);
        }
        pending.clear();
    }

    private void epoch() {
        final int n = pending.size();
        if (n <= SUBSETS_OF_MAX) {
            for (int bits = 0; bits < 1 << n; bits++) {
                final int chosen = bits;
                subset(i -> (chosen >>> i & 1) != 0);
            }
        } else {
            for (int i = 0; i <= n; i++) {
                final int at = i;
                subset(j -> j < at);
                if (i < n) {
                    subset(j -> j != at);
                    subset(j -> j == at);
                }
            }
            for (int i = 0; i < randomSubsets; i++) {
                subset(j -> random.nextBoolean());
            }
        }
        for (int i = 0; i < n; i++) {
            torn(i);
        }
        for (int i = 0; n > 1 && i < tornPerWrite; i++) {
            allTorn();
        }
    }

    /** Every pending write has lost sectors: what is written twice for safety may not hang in the same flush. */
    private void allTorn() {
        final List<RecordingDevice.Left> left = new ArrayList<>();
        for (RecordingDevice.Event write : pending) {
            final BitSet there = new BitSet();
            final int sectors = write.bytes().length / RecordingDevice.SECTOR_BYTES;
            random.ints(0, sectors).limit(sectors).forEach(there::set);
            left.add(new RecordingDevice.Left(write, there));
        }
        visit(left);
    }

    private void subset(IntPredicate chosen) {
        final List<RecordingDevice.Left> left = new ArrayList<>();
        for (int i = 0; i < pending.size(); i++) {
            if (chosen.test(i)) {
                left.add(new RecordingDevice.Left(pending.get(i), null));
            }
        }
        visit(left);
    }

    private void torn(int write) {
        final int sectors = pending.get(write).bytes().length / RecordingDevice.SECTOR_BYTES;
        for (int i = 0; i < tornPerWrite; i++) {
            final BitSet there = new BitSet();
            switch (i % 4) {
                case 0 -> there.set(0, random.nextInt(sectors));
                case 1 -> there.set(0, random.nextInt(1 + sectors / SECTORS_PER_PAGE) * SECTORS_PER_PAGE);
                case 2 -> there.set(random.nextInt(sectors), sectors);
                default -> random.ints(0, sectors).limit(sectors).forEach(there::set);
            }
            final List<RecordingDevice.Left> left = new ArrayList<>();
            for (int j = 0; j < write; j++) {
                left.add(new RecordingDevice.Left(pending.get(j), null));
            }
            left.add(new RecordingDevice.Left(pending.get(write), there));
            visit(left);
        }
    }

    private void visit(List<RecordingDevice.Left> left) {
        final long length = random.nextBoolean() ? size : Math.max(durable.length, lengthOf(left));
        visitor.visit(new State(count++, durable, length, left, acked, issued));
    }

    private static long lengthOf(List<RecordingDevice.Left> left) {
        return left.stream().mapToLong(one -> one.write().position() + one.write().bytes().length).max().orElse(0);
    }
}
