package org.kvmdb.telemetry;

import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_BYTES_MAX;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_BYTES_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_LAST_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_LENGTH_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_NAME_LENGTH;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_NAME_OFFSET;
import static org.kvmdb.telemetry.CountersFileDescriptor.HISTOGRAM_SEQUENCE_OFFSET;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.status.CountersReader;
import org.kvmdb.ffi.NativeFile;

/**
 * Writes the counters file of a store. For one thread at a time; nothing else touches the mapped file, so that no fault and no
 * commit can wait for the file's disk.
 */
public final class CountersPublisher implements AutoCloseable {

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final int ENCODED_LENGTH_MAX = 64 << 10;
    private static final long NEVER_PUBLISHED = -1;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment file;
    private final List<String> counterNames = new ArrayList<>();
    private final List<String> histogramNames = new ArrayList<>();
    private final long[] publishedCounts = new long[CountersFileDescriptor.HISTOGRAMS_MAX];
    private final long[] publishedMaxima = new long[CountersFileDescriptor.HISTOGRAMS_MAX];
    private final ByteBuffer encoded = ByteBuffer.allocate(ENCODED_LENGTH_MAX);

    private CountersPublisher(Path path) throws IOException {
        // Granted before it is mapped: a full disk must be an exception here and not a signal later.
        try (NativeFile created = NativeFile.open(path, NativeFile.CREATE)) {
            created.allocate(0, CountersFileDescriptor.LENGTH);
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            file = channel.map(FileChannel.MapMode.READ_WRITE, 0, CountersFileDescriptor.LENGTH, arena);
        }
        Arrays.fill(publishedCounts, NEVER_PUBLISHED);
        INT.set(file, (long) CountersFileDescriptor.VERSION_OFFSET, CountersFileDescriptor.VERSION);
        INT.set(file, (long) CountersFileDescriptor.STATE_OFFSET, CountersFileDescriptor.STATE_RUNNING);
        LONG.set(file, (long) CountersFileDescriptor.PROCESS_OFFSET, ProcessHandle.current().pid());
        LONG.set(file, (long) CountersFileDescriptor.STARTED_MILLIS_OFFSET, System.currentTimeMillis());
    }

    /** Replaces the file of the process that had the store open before; for whoever holds the store's lock. */
    public static CountersPublisher create(Path storeDirectory) throws IOException {
        final Path path = storeDirectory.resolve(CountersFile.NAME);
        Files.deleteIfExists(path);
        return new CountersPublisher(path);
    }

    /** Writes all values; new names are added as they come. */
    public void publish(Map<String, Long> counters, Map<String, Histogram> latencies) {
        counters.forEach((name, value) ->
                LONG.setOpaque(file, (long) CountersFileDescriptor.valueOffset(counterOf(name)), value.longValue()));
        latencies.forEach(this::publish);
        LONG.setRelease(file, (long) CountersFileDescriptor.PUBLISHED_MILLIS_OFFSET, System.currentTimeMillis());
        // Last, so that a reader takes the file for one only when everything is in it.
        LONG.setRelease(file, (long) CountersFileDescriptor.MAGIC_OFFSET, CountersFileDescriptor.MAGIC);
    }

    private int counterOf(String name) {
        final int known = counterNames.indexOf(name);
        if (known >= 0) {
            return known;
        }
        final int counter = counterNames.size();
        final byte[] label = name.getBytes(StandardCharsets.US_ASCII);
        if (counter == CountersFileDescriptor.COUNTERS_MAX || label.length > CountersFileDescriptor.COUNTER_LABEL_MAX) {
            throw new IllegalArgumentException("no room for the counter " + name);
        }
        counterNames.add(name);
        final long at = CountersFileDescriptor.metadataOffset(counter);
        put(at + CountersFileDescriptor.COUNTER_LABEL_OFFSET, label, label.length);
        INT.set(file, at + CountersFileDescriptor.COUNTER_LABEL_LENGTH_OFFSET, label.length);
        INT.setRelease(file, at + CountersFileDescriptor.COUNTER_STATE_OFFSET, CountersReader.RECORD_ALLOCATED);
        return counter;
    }

    private void publish(String name, Histogram latency) {
        final int index = histogramOf(name);
        // The greatest, too: who copies while a value is recorded may have it in the count alone.
        if (latency.getTotalCount() == publishedCounts[index] && latency.getMaxValue() == publishedMaxima[index]) {
            return; // as it was
        }
        encoded.clear();
        final int length = latency.encodeIntoByteBuffer(encoded);
        if (length > HISTOGRAM_BYTES_MAX) {
            return; // the last one that fitted stays
        }
        publishedCounts[index] = latency.getTotalCount();
        publishedMaxima[index] = latency.getMaxValue();
        final long at = CountersFileDescriptor.histogramOffset(index);
        final long sequence = (long) LONG.get(file, at + HISTOGRAM_SEQUENCE_OFFSET) + 1;
        LONG.set(file, at + HISTOGRAM_LAST_OFFSET, sequence);
        VarHandle.storeStoreFence();
        INT.set(file, at + HISTOGRAM_LENGTH_OFFSET, length);
        put(at + HISTOGRAM_BYTES_OFFSET, encoded.array(), length);
        LONG.setRelease(file, at + HISTOGRAM_SEQUENCE_OFFSET, sequence);
    }

    private int histogramOf(String name) {
        final int known = histogramNames.indexOf(name);
        if (known >= 0) {
            return known;
        }
        final int index = histogramNames.size();
        final byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        if (index == CountersFileDescriptor.HISTOGRAMS_MAX || bytes.length >= HISTOGRAM_NAME_LENGTH) {
            throw new IllegalArgumentException("no room for the distribution " + name);
        }
        histogramNames.add(name);
        put(CountersFileDescriptor.histogramOffset(index) + (long) HISTOGRAM_NAME_OFFSET, bytes, bytes.length);
        return index;
    }

    private void put(long offset, byte[] bytes, int length) {
        MemorySegment.copy(bytes, 0, file, ValueLayout.JAVA_BYTE, offset, length);
    }

    /** Says that the store was closed. The file stays. */
    @Override
    public void close() {
        try {
            INT.setRelease(file, (long) CountersFileDescriptor.STATE_OFFSET, CountersFileDescriptor.STATE_CLOSED);
        } finally {
            arena.close();
        }
    }
}
