package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.collections.IntHashSet;
import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.LongHashSet;
import org.kvmdb.ffi.NativeMemory;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.RemapTableDescriptor;

/**
 * Blocks that no longer lie at the place that their name gives. Entries of snapshots never change, so a moved block
 * that a snapshot refers to keeps its original PPN as its <em>name</em>. There is one level: a block that is moved
 * again keeps the same name. The original segment can be reused meanwhile, but no block is placed at a PPN that is a
 * name. Nor is one placed at a PPN that was a name, until the next checkpoint is durable, because a recovery may still
 * find that name in use.
 *
 * <p>Changed under the append lock. The fault handler uses a {@link RemapTableDescriptor} for each segment with names;
 * a replaced table is kept until its readers have left.
 */
final class Remaps implements AutoCloseable {

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final int PAGE_BYTES = 4096;

    private final Long2LongHashMap targets = new Long2LongHashMap(0);
    private final Long2LongHashMap names = new Long2LongHashMap(0);
    private final Int2ObjectHashMap<NativeMemory> tables = new Int2ObjectHashMap<>();
    private final Int2ObjectHashMap<LongHashSet> namesOf = new Int2ObjectHashMap<>();
    private final IntHashSet changed = new IntHashSet();
    private LongHashSet gone = new LongHashSet();
    private LongHashSet goneAtCut = new LongHashSet();
    private List<NativeMemory> replaced = new ArrayList<>();
    private List<NativeMemory> waiting = new ArrayList<>();
    private long waitingEpoch;

    /** Who is told where the table of a segment lies; 0: it has none. */
    interface Publisher {
        void publish(int segment, long address);
    }

    boolean isEmpty() {
        return targets.isEmpty();
    }

    int count() {
        return targets.size();
    }

    /** Where the block of that name lies. */
    long resolve(long name) {
        final long target = targets.get(name);
        return target == 0 ? name : target;
    }

    boolean contains(long name) {
        return targets.containsKey(name);
    }

    /** What the maps call the block that lies there. */
    long nameOf(long ppn) {
        final long name = names.get(ppn);
        return name == 0 ? ppn : name;
    }

    /** Whether a new block must not lie there. */
    boolean isTaken(long ppn) {
        return targets.containsKey(ppn) || gone.contains(ppn) || goneAtCut.contains(ppn);
    }

    /** The block of that name lies there from now on. */
    void put(long name, long target) {
        final long before = targets.put(name, target);
        if (before != 0) {
            names.remove(before);
        }
        names.put(target, name);
        final int segment = Ppn.segment(name);
        if (before != 0 && !changed.contains(segment)) {
            setTarget(segment, name, target);
        } else {
            namesOf.computeIfAbsent(segment, key -> new LongHashSet()).add(name);
            changed.add(segment);
        }
    }

    /** The block of that name is dead. */
    void remove(long name) {
        final long target = targets.remove(name);
        if (target == 0) {
            return;
        }
        names.remove(target);
        gone.add(name);
        final int segment = Ppn.segment(name);
        namesOf.get(segment).remove(name);
        if (namesOf.get(segment).isEmpty()) {
            namesOf.remove(segment);
            changed.add(segment);
        } else if (!changed.contains(segment)) {
            setTarget(segment, name, 0);
        }
    }

    /** A checkpoint begins; returns all names and targets, sorted by name. */
    long[][] cut() {
        goneAtCut.addAll(gone);
        gone = new LongHashSet();
        final long[] sorted = new long[targets.size()];
        final int[] count = {0};
        targets.forEachLong((name, target) -> sorted[count[0]++] = name);
        Arrays.sort(sorted);
        final long[][] result = new long[sorted.length][];
        for (int i = 0; i < sorted.length; i++) {
            result[i] = new long[] {sorted[i], targets.get(sorted[i])};
        }
        return result;
    }

    /** The checkpoint is durable: what was gone when it began may be forgotten. */
    void settled() {
        goneAtCut = new LongHashSet();
    }

    private void setTarget(int segment, long name, long target) {
        final MemorySegment table = tables.get(segment).segment();
        int low = 0;
        int high = (int) table.get(ValueLayout.JAVA_LONG, RemapTableDescriptor.COUNT_OFFSET) - 1;
        while (low < high) {
            final int middle = low + high >>> 1;
            final long at = table.get(
                    ValueLayout.JAVA_LONG,
                    RemapTableDescriptor.entryOffset(middle) + RemapTableDescriptor.ENTRY_NAME_OFFSET);
            if (Long.compareUnsigned(at, name) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        LONG.setRelease(table, RemapTableDescriptor.entryOffset(low) + RemapTableDescriptor.ENTRY_TARGET_OFFSET, target);
    }

    /** Publishes the tables of segments whose names changed. Until then readers find the old places, which still hold. */
    void publish(Publisher publisher, ReaderGrace grace) {
        changed.forEach(segment -> publish(segment, publisher));
        changed.clear();
        reclaim(grace);
    }

    private void publish(int segment, Publisher publisher) {
        final LongHashSet held = namesOf.get(segment);
        final NativeMemory before;
        if (held == null) {
            before = tables.remove(segment);
            publisher.publish(segment, 0);
        } else {
            final long[] sorted = new long[held.size()];
            int count = 0;
            for (LongHashSet.LongIterator i = held.iterator(); i.hasNext(); ) {
                sorted[count++] = i.nextValue();
            }
            Arrays.sort(sorted);
            final NativeMemory table =
                    NativeMemory.reserve(Fields.alignUp(RemapTableDescriptor.length(count), PAGE_BYTES));
            table.segment().set(ValueLayout.JAVA_LONG, RemapTableDescriptor.COUNT_OFFSET, count);
            for (int i = 0; i < count; i++) {
                final long at = RemapTableDescriptor.entryOffset(i);
                table.segment().set(ValueLayout.JAVA_LONG, at + RemapTableDescriptor.ENTRY_NAME_OFFSET, sorted[i]);
                table.segment().set(
                        ValueLayout.JAVA_LONG, at + RemapTableDescriptor.ENTRY_TARGET_OFFSET, targets.get(sorted[i]));
            }
            before = tables.put(segment, table);
            publisher.publish(segment, table.address());
        }
        if (before != null) {
            replaced.add(before);
        }
    }

    private void reclaim(ReaderGrace grace) {
        if (!waiting.isEmpty() && grace.passed(waitingEpoch)) {
            waiting.forEach(NativeMemory::close);
            waiting.clear();
        }
        if (waiting.isEmpty() && !replaced.isEmpty()) {
            final List<NativeMemory> swap = waiting;
            waiting = replaced;
            replaced = swap;
            waitingEpoch = grace.advance();
        }
    }

    @Override
    public void close() {
        waiting.forEach(NativeMemory::close);
        replaced.forEach(NativeMemory::close);
        tables.values().forEach(NativeMemory::close);
        waiting.clear();
        replaced.clear();
        tables.clear();
    }
}
