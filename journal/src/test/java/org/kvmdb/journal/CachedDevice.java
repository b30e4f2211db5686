package org.kvmdb.journal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.TreeMap;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * A device beneath a cache, as the operating system keeps one: what was read or written is read from there from then on, also
 * when the medium holds something else by now, or always did. Only {@link #readDurable} shows the medium.
 */
final class CachedDevice extends KeptDevice {

    private static final int UNIT = BatchDescriptor.UNIT_BYTES;

    private final TreeMap<Long, byte[]> cached = new TreeMap<>();

    CachedDevice(Device medium) {
        super(medium);
    }

    /** From now on that is read from there, and the medium does not know of it. */
    synchronized void putIntoCache(long position, MemorySegment bytes) {
        for (long unit = position / UNIT; unit * UNIT < position + bytes.byteSize(); unit++) {
            final byte[] content = unit(unit);
            final long from = Math.max(position, unit * UNIT);
            final long end = Math.min(position + bytes.byteSize(), (unit + 1) * UNIT);
            MemorySegment.copy(
                    bytes, ValueLayout.JAVA_BYTE, from - position, content, (int) (from - unit * UNIT), (int) (end - from));
        }
    }

    private byte[] unit(long number) {
        return cached.computeIfAbsent(number, n -> {
            final MemorySegment content = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(UNIT));
            medium().read(n * UNIT, content);
            return content.toArray(ValueLayout.JAVA_BYTE);
        });
    }

    @Override
    public synchronized long read(long position, MemorySegment buffer) {
        final long count = super.read(position, buffer);
        for (long unit = position / UNIT; unit * UNIT < position + count; unit++) {
            final long from = Math.max(position, unit * UNIT);
            final long end = Math.min(position + count, (unit + 1) * UNIT);
            MemorySegment.copy(
                    unit(unit), (int) (from - unit * UNIT), buffer, ValueLayout.JAVA_BYTE, from - position,
                    (int) (end - from));
        }
        return count;
    }

    @Override
    public synchronized void write(long position, MemorySegment buffer) {
        super.write(position, buffer);
        putIntoCache(position, buffer);
    }

    @Override
    public synchronized void discard(long position, long lengthBytes) {
        super.discard(position, lengthBytes);
        cached.subMap(position / UNIT, (position + lengthBytes) / UNIT).clear();
    }
}
