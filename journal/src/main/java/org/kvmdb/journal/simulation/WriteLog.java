package org.kvmdb.journal.simulation;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A recording in the format that Linux's {@code dm-log-writes} target writes, so that its {@code replay-log} can replay it
 * onto a real device. Little-endian; everything in sectors of 512 bytes:
 *
 * <pre>
 *   0       8         16        24            28
 *  +-------+---------+---------+-------------+---------+
 *  | magic | version | entries | sector size | zeros   |      the first sector
 *  +-------+---------+---------+-------------+---------+
 *   0        8         16      24       32
 *  +--------+---------+-------+--------+------+---------+
 *  | sector | sectors | flags | length | text | zeros   |      a sector for each entry, and behind that of a write what
 *  +--------+---------+-------+--------+------+---------+      was written; text is that of a mark, length its length
 * </pre>
 *
 * <p>What the device held when the recording began is written first. A discard is a write of zeros. Marks say which commits
 * were {@code issued} and {@code acked}.
 */
public final class WriteLog {

    private static final int SECTOR_BYTES = RecordingDevice.SECTOR_BYTES;
    private static final long MAGIC = 0x6a736677736872L;
    private static final long VERSION = 1;
    private static final int ENTRIES_OFFSET = 2 * Long.BYTES;
    private static final int SECTOR_SIZE_OFFSET = ENTRIES_OFFSET + Long.BYTES;
    private static final int SECTORS_OFFSET = Long.BYTES;
    private static final int FLAGS_OFFSET = SECTORS_OFFSET + Long.BYTES;
    private static final int LENGTH_OFFSET = FLAGS_OFFSET + Long.BYTES;
    private static final int TEXT_OFFSET = LENGTH_OFFSET + Long.BYTES;
    private static final long FLUSH = 1;
    private static final long MARK = 8;
    private static final int PIECE_BYTES = 1 << 20;

    /**
     * An entry: a write, a flush (when it has neither bytes nor text) or a mark.
     *
     * @param position in bytes
     * @param bytes that were written, to the end of the last sector
     * @param text of a mark
     */
    public record Entry(long position, byte[] bytes, String text) {

        static Entry write(long position, byte[] bytes) {
            return new Entry(position, Arrays.copyOf(bytes, roundUp(bytes.length)), "");
        }

        public boolean isFlush() {
            return bytes.length == 0 && text.isEmpty();
        }

        private long flags() {
            return isFlush() ? FLUSH : text.isEmpty() ? 0 : MARK;
        }
    }

    private WriteLog() {}

    private static int roundUp(int length) {
        return (length + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
    }

    /** Writes a recording to a file, which is replaced. */
    public static void write(RecordingDevice recording, Path file) throws IOException {
        final List<Entry> entries = entries(recording);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
            out.write(sector()
                    .putLong(0, MAGIC)
                    .putLong(Long.BYTES, VERSION)
                    .putLong(ENTRIES_OFFSET, entries.size())
                    .putInt(SECTOR_SIZE_OFFSET, SECTOR_BYTES)
                    .array());
            for (Entry entry : entries) {
                final byte[] text = entry.text.getBytes(StandardCharsets.US_ASCII);
                out.write(sector()
                        .putLong(0, entry.position / SECTOR_BYTES)
                        .putLong(SECTORS_OFFSET, entry.bytes.length / SECTOR_BYTES)
                        .putLong(FLAGS_OFFSET, entry.flags())
                        .putLong(LENGTH_OFFSET, text.length)
                        .put(TEXT_OFFSET, text)
                        .array());
                out.write(entry.bytes);
            }
        }
    }

    private static ByteBuffer sector() {
        return ByteBuffer.allocate(SECTOR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static List<Entry> entries(RecordingDevice recording) {
        final List<Entry> entries = new ArrayList<>();
        final byte[] start = recording.startImage();
        for (int at = 0; at < start.length; at += PIECE_BYTES) {
            entries.add(Entry.write(at, Arrays.copyOfRange(start, at, Math.min(start.length, at + PIECE_BYTES))));
        }
        for (RecordingDevice.Event event : recording.events()) {
            entries.add(switch (event.kind()) {
                case WRITE -> Entry.write(event.position(), event.bytes());
                case FLUSH -> new Entry(0, new byte[0], "");
                case ISSUED -> new Entry(0, new byte[0], "issued " + event.number());
                case ACKED -> new Entry(0, new byte[0], "acked " + event.number());
            });
        }
        return entries;
    }

    /** Reads such a file as a whole; throws when it is none, or of sectors of another size. */
    public static List<Entry> read(Path file) throws IOException {
        final ByteBuffer log = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        if (log.limit() < SECTOR_BYTES
                || log.getLong(0) != MAGIC
                || log.getLong(Long.BYTES) != VERSION
                || log.getInt(SECTOR_SIZE_OFFSET) != SECTOR_BYTES) {
            throw new IOException("not a log of dm-log-writes with sectors of %d bytes: %s".formatted(SECTOR_BYTES, file));
        }
        final List<Entry> entries = new ArrayList<>();
        long at = SECTOR_BYTES;
        for (long left = log.getLong(ENTRIES_OFFSET); left > 0; left--) {
            final ByteBuffer entry = slice(log, at, SECTOR_BYTES, file);
            final long lengthBytes = entry.getLong(SECTORS_OFFSET) * SECTOR_BYTES;
            final byte[] bytes = new byte[slice(log, at + SECTOR_BYTES, lengthBytes, file).limit()];
            slice(log, at + SECTOR_BYTES, lengthBytes, file).get(bytes);
            final byte[] text = new byte[(int) Math.min(SECTOR_BYTES - TEXT_OFFSET, entry.getLong(LENGTH_OFFSET))];
            entry.get(TEXT_OFFSET, text);
            entries.add(new Entry(
                    entry.getLong(0) * SECTOR_BYTES, bytes, new String(text, StandardCharsets.US_ASCII)));
            at += SECTOR_BYTES + lengthBytes;
        }
        return entries;
    }

    private static ByteBuffer slice(ByteBuffer log, long at, long lengthBytes, Path file) throws IOException {
        if (lengthBytes < 0 || at + lengthBytes > log.limit()) {
            throw new IOException("%s ends within an entry at %d".formatted(file, at));
        }
        return log.slice((int) at, (int) lengthBytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
