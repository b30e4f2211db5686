package org.kvmdb.telemetry;

import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_BYTES_MAX;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_BYTES_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_LAST_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_LENGTH_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_NAME_LENGTH;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_NAME_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_SEQUENCE_OFFSET;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.status.CountersReader;

/** Reads the counters file of a store: a copy of it, so that nothing that happens to the file can harm the reader. */
public final class CountersFile {

    /** Within the store's directory. */
    public static final String NAME = "counters";

    /** What is being written takes microseconds, and is tried again at once. */
    private static final int TRIES_WHEN_TORN = 20;

    /** A store that is being opened takes longer: half a second. */
    private static final int TRIES_WHEN_EMPTY = 100;

    private static final long PAUSE_NANOS = 5_000_000;

    /** More than the distributions of a store can hold; a file that says more lies. */
    private static final long NANOS_MAX = 1L << 50;

    private CountersFile() {}

    /**
     * Reads what a store last published.
     *
     * @throws NoSuchFileException when the store in that directory never wrote one
     * @throws IOException when it cannot be read, or is none; the message says what to do
     */
    public static CountersSnapshot read(Path storeDirectory) throws IOException {
        final Path file = storeDirectory.resolve(NAME);
        for (int torn = 1, empty = 1; ; ) {
            try {
                return parse(file, bytesOf(file));
            } catch (TornException e) {
                if (torn++ == TRIES_WHEN_TORN) {
                    throw e;
                }
                Thread.onSpinWait();
            } catch (EmptyException e) {
                if (empty++ == TRIES_WHEN_EMPTY) {
                    throw e;
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private static byte[] bytesOf(Path file) throws IOException {
        try (var input = Files.newInputStream(file)) {
            return input.readNBytes(CountersFileDescriptor.LENGTH);
        }
    }

    /** A distribution was being written while the file was read. */
    private static final class TornException extends IOException {
        private static final long serialVersionUID = 1L;

        TornException(Path file) {
            super(file + " changes too fast to be read: try again");
        }
    }

    /** Nothing was published yet. */
    private static final class EmptyException extends IOException {
        private static final long serialVersionUID = 1L;

        EmptyException(Path file) {
            super(file + " is no counters file, or the store is just opening");
        }
    }

    private static CountersSnapshot parse(Path file, byte[] bytes) throws IOException {
        if (bytes.length < CountersFileDescriptor.LENGTH) {
            throw new IOException("%s has %d bytes of %d: it is no counters file, or the store is just opening"
                    .formatted(file, bytes.length, CountersFileDescriptor.LENGTH));
        }
        final ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        final long magic = buffer.getLong(CountersFileDescriptor.MAGIC_OFFSET);
        if (magic == 0) {
            throw new EmptyException(file);
        }
        if (magic != CountersFileDescriptor.MAGIC) {
            throw new IOException(file + " is no counters file");
        }
        final int version = buffer.getInt(CountersFileDescriptor.VERSION_OFFSET);
        if (version != CountersFileDescriptor.VERSION) {
            throw new IOException("%s has version %d, this program reads %d: use the program that opened the store"
                    .formatted(file, version, CountersFileDescriptor.VERSION));
        }
        try {
            return new CountersSnapshot(
                    buffer.getLong(CountersFileDescriptor.PROCESS_OFFSET),
                    Instant.ofEpochMilli(buffer.getLong(CountersFileDescriptor.STARTED_MILLIS_OFFSET)),
                    Instant.ofEpochMilli(buffer.getLong(CountersFileDescriptor.PUBLISHED_MILLIS_OFFSET)),
                    buffer.getInt(CountersFileDescriptor.STATE_OFFSET) == CountersFileDescriptor.STATE_CLOSED,
                    counters(buffer),
                    latencies(file, buffer));
        } catch (RuntimeException | DataFormatException e) {
            // The decoder takes what it is given for well-formed.
            throw new IOException(file + " is damaged; the store writes a new one when it is opened", e);
        }
    }

    private static Map<String, Long> counters(ByteBuffer buffer) throws DataFormatException {
        final Map<String, Long> counters = new LinkedHashMap<>();
        for (int i = 0; i < CountersFileDescriptor.COUNTERS_MAX; i++) {
            final int at = CountersFileDescriptor.metadataOffset(i);
            if (buffer.getInt(at + CountersFileDescriptor.COUNTER_STATE_OFFSET) == CountersReader.RECORD_ALLOCATED) {
                final int length = buffer.getInt(at + CountersFileDescriptor.COUNTER_LABEL_LENGTH_OFFSET);
                if (length < 0 || length > CountersFileDescriptor.COUNTER_LABEL_MAX) {
                    throw new DataFormatException("counter=%d label length=%d".formatted(i, length));
                }
                counters.put(
                        text(buffer, at + CountersFileDescriptor.COUNTER_LABEL_OFFSET, length),
                        buffer.getLong(CountersFileDescriptor.valueOffset(i)));
            }
        }
        return counters;
    }

    private static Map<String, Histogram> latencies(Path file, ByteBuffer buffer)
            throws TornException, DataFormatException {
        final Map<String, Histogram> latencies = new LinkedHashMap<>();
        for (int i = 0; i < CountersFileDescriptor.HISTOGRAMS_MAX; i++) {
            final int at = CountersFileDescriptor.histogramOffset(i);
            final int length = buffer.getInt(at + HISTOGRAM_LENGTH_OFFSET);
            if (buffer.getLong(at + HISTOGRAM_SEQUENCE_OFFSET) != buffer.getLong(at + HISTOGRAM_LAST_OFFSET)) {
                throw new TornException(file);
            }
            if (length > 0 && length <= HISTOGRAM_BYTES_MAX) {
                latencies.put(
                        nameAt(buffer, at + HISTOGRAM_NAME_OFFSET),
                        decode(buffer.slice(at + HISTOGRAM_BYTES_OFFSET, length)));
            }
        }
        return latencies;
    }

    /** The decoder allocates what the header says, so that is looked at first: digits and highest value. */
    private static Histogram decode(ByteBuffer encoded) throws DataFormatException {
        final int digits = encoded.getInt(12);
        final long highest = encoded.getLong(24);
        if (digits < 0 || digits > 2 || highest < 0 || highest > NANOS_MAX) {
            throw new DataFormatException("digits=%d highest=%d".formatted(digits, highest));
        }
        return Histogram.decodeFromByteBuffer(encoded, 0);
    }

    private static String nameAt(ByteBuffer buffer, int offset) {
        int length = 0;
        while (length < HISTOGRAM_NAME_LENGTH && buffer.get(offset + length) != 0) {
            length++;
        }
        return text(buffer, offset, length);
    }

    private static String text(ByteBuffer buffer, int offset, int length) {
        return new String(buffer.array(), offset, length, StandardCharsets.US_ASCII);
    }
}
