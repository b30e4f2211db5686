package org.kvmdb;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.kvmdb.journal.Device;

/**
 * Passes everything on to a device and keeps what was done to it, in order, so that the state of the disk after a crash
 * at any point can be made.
 *
 * <p>The fault model. A killed process leaves every write that was begun before it. A machine that loses power leaves what
 * was written before the last completed flush, and of each later write everything, nothing, or any 512-byte sectors; a
 * later discard may have happened or not. A flush that was under way is not complete.
 */
final class RecordingDevice implements Device {

    private static final int SECTOR = 512;

    /** What happened, shared by the devices of one file, one after the other. */
    static final class Recording {
        private final List<Operation> operations = new ArrayList<>();
        private volatile boolean skipsFlushes;

        /** Plants a bug: from now on flushes do nothing. The tests must notice. */
        void skipFlushes() {
            skipsFlushes = true;
        }

        synchronized int size() {
            return operations.size();
        }

        synchronized void marker(int issued, int acknowledged) {
            final Operation last = operations.isEmpty() ? null : operations.getLast();
            operations.add(new Operation(Kind.MARKER, issued, acknowledged, null, last == null ? 0 : last.deviceBytes));
        }

        private synchronized void add(Kind kind, long position, long length, byte[] bytes, long deviceBytes) {
            operations.add(new Operation(kind, position, length, bytes, deviceBytes));
        }

        private synchronized List<Operation> first(int count) {
            return List.copyOf(operations.subList(0, count));
        }
    }

    private enum Kind {
        WRITE,
        FLUSH,
        DISCARD,
        MARKER
    }

    /** MARKER: position is the number of the last state issued, length that of the last acknowledged. */
    private record Operation(Kind kind, long position, long length, byte[] bytes, long deviceBytes) {}

    private final Device device;
    private final Recording recording;

    RecordingDevice(Device device, Recording recording) {
        this.device = device;
        this.recording = recording;
    }

    @Override
    public int fd() {
        return device.fd();
    }

    @Override
    public long read(long position, MemorySegment buffer) {
        return device.read(position, buffer);
    }

    @Override
    public long readDurable(long position, MemorySegment buffer) {
        return device.readDurable(position, buffer);
    }

    @Override
    public void write(long position, MemorySegment buffer) {
        device.write(position, buffer);
        final byte[] bytes = buffer.toArray(ValueLayout.JAVA_BYTE);
        recording.add(Kind.WRITE, position, bytes.length, bytes, device.sizeBytes());
    }

    @Override
    public void writeBack(long position, long lengthBytes) {
        device.writeBack(position, lengthBytes);
    }

    @Override
    public void flush() {
        // Only what was recorded before the flush began is known to be covered.
        final int covered = recording.size();
        if (!recording.skipsFlushes) {
            device.flush();
            recording.add(Kind.FLUSH, covered, 0, null, device.sizeBytes());
        }
    }

    @Override
    public void allocate(long position, long lengthBytes) {
        device.allocate(position, lengthBytes);
    }

    @Override
    public void discard(long position, long lengthBytes) {
        device.discard(position, lengthBytes);
        recording.add(Kind.DISCARD, position, lengthBytes, null, device.sizeBytes());
    }

    @Override
    public long sizeBytes() {
        return device.sizeBytes();
    }

    @Override
    public long allocatedBytes() {
        return device.allocatedBytes();
    }

    @Override
    public boolean isReadOnly() {
        return device.isReadOnly();
    }

    @Override
    public void close() {
        device.close();
    }

    // ---- crashes ----

    /** What a crash leaves: which states may be there, acknowledged to issued. */
    record Crash(int acknowledged, int issued) {}

    /**
     * Writes the state of the disk after a crash before the operation with that number.
     *
     * @param powerLoss whether also the machine went down: then the random decides what of the unflushed is there
     */
    static Crash writeCrashImage(Recording recording, int at, boolean powerLoss, Random random, Path file)
            throws IOException {
        final List<Operation> operations = recording.first(at);
        int durable = powerLoss ? 0 : at;
        int issued = 0;
        int acknowledged = 0;
        for (Operation operation : operations) {
            if (operation.kind == Kind.FLUSH) {
                durable = Math.max(durable, (int) operation.position);
            } else if (operation.kind == Kind.MARKER) {
                issued = (int) operation.position;
                acknowledged = (int) operation.length;
            }
        }
        try (FileChannel image =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (!operations.isEmpty() && operations.getLast().deviceBytes > 0) {
                image.write(ByteBuffer.allocate(1), operations.getLast().deviceBytes - 1);
            }
            for (int i = 0; i < at; i++) {
                apply(image, operations.get(i), i < durable, random);
            }
        }
        return new Crash(acknowledged, issued);
    }

    private static void apply(FileChannel image, Operation operation, boolean isDurable, Random random)
            throws IOException {
        final int fate = isDurable ? 0 : random.nextInt(3);
        if (operation.kind == Kind.WRITE && fate == 0) {
            writeAll(image, operation.bytes, operation.position);
        } else if (operation.kind == Kind.WRITE && fate == 1) {
            for (int from = 0; from < operation.bytes.length; from += SECTOR) {
                if (random.nextBoolean()) {
                    final int to = Math.min(from + SECTOR, operation.bytes.length);
                    writeAll(image, Arrays.copyOfRange(operation.bytes, from, to), operation.position + from);
                }
            }
        } else if (operation.kind == Kind.DISCARD && fate == 0) {
            writeAll(image, new byte[(int) operation.length], operation.position);
        }
    }

    private static void writeAll(FileChannel image, byte[] bytes, long position) throws IOException {
        final ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            image.write(buffer, position + buffer.position());
        }
    }
}
