package org.kvmdb.journal.simulation;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.kvmdb.journal.Device;

/**
 * Remembers what each write replaced. So a medium can be put back as it was, which makes it serve for many cases; a power
 * cut can take back what was not durable; and a read can be given what its place held before. A discard counts as a
 * write of zeros. The length of the device is not remembered. For one thread.
 */
public final class HistoryDevice extends KeptDevice {

    /** A write: what its place held before, and holds since. */
    public record Change(long position, byte[] before, byte[] after) {

        long end() {
            return position + after.length;
        }
    }

    private final List<Change> changes = new ArrayList<>();

    public HistoryDevice(Device inner) {
        super(inner);
    }

    /** All writes that were not undone, in order. */
    public List<Change> changes() {
        return changes;
    }

    /** A moment, for {@link #undoTo} and {@link #lose}: the number of writes until now. */
    public int mark() {
        return changes.size();
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        final byte[] before = bytesAt(position, (int) buffer.byteSize());
        super.write(position, buffer);
        changes.add(new Change(position, before, buffer.toArray(ValueLayout.JAVA_BYTE)));
    }

    @Override
    public void discard(long position, long lengthBytes) {
        final byte[] before = bytesAt(position, (int) lengthBytes);
        super.discard(position, lengthBytes);
        changes.add(new Change(position, before, new byte[(int) lengthBytes]));
    }

    /** What the medium holds; zeros behind its end. */
    public byte[] bytesAt(long position, int length) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment buffer = arena.allocate(length, 4096);
            medium().read(position, buffer);
            return buffer.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** The medium as it was at a moment. */
    public byte[] imageAt(int mark) {
        final byte[] image = bytesAt(0, (int) medium().sizeBytes());
        for (int i = changes.size() - 1; i >= mark; i--) {
            final Change change = changes.get(i);
            System.arraycopy(change.before, 0, image, (int) change.position, change.before.length);
        }
        return image;
    }

    /** Takes back every write since a moment. */
    public void undoTo(int mark) {
        for (int i = changes.size() - 1; i >= mark; i--) {
            put(changes.get(i).position, changes.get(i).before);
        }
        changes.subList(mark, changes.size()).clear();
    }

    /** Takes back writes since a moment, but for those that survive, which are told by their number since then. */
    public void lose(int mark, IntPredicate survives) {
        final List<Change> since = List.copyOf(changes.subList(mark, changes.size()));
        undoTo(mark);
        for (int i = 0; i < since.size(); i++) {
            if (survives.test(i)) {
                final Change change = since.get(i);
                final byte[] before = bytesAt(change.position, change.after.length);
                put(change.position, change.after);
                changes.add(new Change(change.position, before, change.after));
            }
        }
    }

    /** What a place held before the last write that touched it; null when there was none. */
    public byte[] olderBytesAt(long position, int length) {
        for (int i = changes.size() - 1; i >= 0; i--) {
            final Change change = changes.get(i);
            if (change.position < position + length && change.end() > position) {
                final byte[] result = bytesAt(position, length);
                final long from = Math.max(position, change.position);
                final long to = Math.min(position + length, change.end());
                System.arraycopy(
                        change.before, (int) (from - change.position), result, (int) (from - position), (int) (to - from));
                return result;
            }
        }
        return null;
    }

    private void put(long position, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment buffer = arena.allocate(bytes.length, 4096);
            MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
            medium().write(position, buffer);
        }
    }
}
