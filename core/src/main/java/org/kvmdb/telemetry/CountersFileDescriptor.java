package org.kvmdb.telemetry;

import org.agrona.concurrent.status.CountersReader;

/**
 * The counters file, little endian. Counters lie as Agrona lays them out ({@link CountersReader}), so that its readers read
 * them, too; it is not written with Agrona's buffers, because those need a JVM that was started with {@code --add-opens}.
 * Distributions are HdrHistograms in their own encoding (version 2, not compressed), in nanoseconds.
 *
 * <pre>
 *   0       8         12        16          24                32                  40
 *  +-------+---------+---------+-----------+-----------------+-------------------+--------+
 *  | magic | version | state   | process   | started, millis | published, millis | zeros  |
 *  +-------+---------+---------+-----------+-----------------+-------------------+--------+
 *   4096              + {@value #METADATA_LENGTH}           + {@value #VALUES_LENGTH}
 *  +-----------------+-----------------+------------------------------------+
 *  | counters' names | counters' values | {@value #HISTOGRAMS_MAX} distributions       |
 *  +-----------------+-----------------+------------------------------------+
 *
 *  a distribution of {@value #HISTOGRAM_STRIDE} bytes
 *   0          8              12      16     64        {@value #HISTOGRAM_LAST_OFFSET}
 *  +----------+--------------+-------+------+---------+-----------+
 *  | sequence | length bytes | zeros | name | encoded | sequence  |
 *  +----------+--------------+-------+------+---------+-----------+
 * </pre>
 *
 * <p>The last sequence of a distribution is written before it changes, the first one after it did. So a copy made from low to
 * high addresses is whole when both are the same. A name ends with a zero byte.
 */
final class CountersFileDescriptor {

    static final long MAGIC = 0x53544E5542444D56L; // "VMDBUNTS"
    static final int VERSION = 1;

    static final int STATE_RUNNING = 1;
    static final int STATE_CLOSED = 2;

    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
    static final int STATE_OFFSET = VERSION_OFFSET + Integer.BYTES;
    static final int PROCESS_OFFSET = STATE_OFFSET + Integer.BYTES;
    static final int STARTED_MILLIS_OFFSET = PROCESS_OFFSET + Long.BYTES;
    static final int PUBLISHED_MILLIS_OFFSET = STARTED_MILLIS_OFFSET + Long.BYTES;
    static final int HEADER_LENGTH = 4096;

    static final int COUNTER_STATE_OFFSET = 0;
    static final int COUNTER_LABEL_LENGTH_OFFSET = CountersReader.LABEL_OFFSET;
    static final int COUNTER_LABEL_OFFSET = COUNTER_LABEL_LENGTH_OFFSET + Integer.BYTES;
    static final int COUNTER_LABEL_MAX = CountersReader.MAX_LABEL_LENGTH;

    static final int COUNTERS_MAX = 128;
    static final int METADATA_OFFSET = HEADER_LENGTH;
    static final int METADATA_LENGTH = COUNTERS_MAX * CountersReader.METADATA_LENGTH;
    static final int VALUES_OFFSET = METADATA_OFFSET + METADATA_LENGTH;
    static final int VALUES_LENGTH = COUNTERS_MAX * CountersReader.COUNTER_LENGTH;

    static final int HISTOGRAM_SEQUENCE_OFFSET = 0;
    static final int HISTOGRAM_LENGTH_OFFSET = HISTOGRAM_SEQUENCE_OFFSET + Long.BYTES;
    static final int HISTOGRAM_NAME_OFFSET = 16;
    static final int HISTOGRAM_NAME_LENGTH = 48;
    static final int HISTOGRAM_BYTES_OFFSET = HISTOGRAM_NAME_OFFSET + HISTOGRAM_NAME_LENGTH;
    static final int HISTOGRAM_STRIDE = 32 << 10;
    static final int HISTOGRAM_LAST_OFFSET = HISTOGRAM_STRIDE - Long.BYTES;
    static final int HISTOGRAM_BYTES_MAX = HISTOGRAM_LAST_OFFSET - HISTOGRAM_BYTES_OFFSET;

    static final int HISTOGRAMS_MAX = 16;
    static final int HISTOGRAMS_OFFSET = VALUES_OFFSET + VALUES_LENGTH;
    static final int LENGTH = HISTOGRAMS_OFFSET + HISTOGRAMS_MAX * HISTOGRAM_STRIDE;

    private CountersFileDescriptor() {}

    static int metadataOffset(int counter) {
        return METADATA_OFFSET + counter * CountersReader.METADATA_LENGTH;
    }

    static int valueOffset(int counter) {
        return VALUES_OFFSET + counter * CountersReader.COUNTER_LENGTH;
    }

    static int histogramOffset(int index) {
        return HISTOGRAMS_OFFSET + index * HISTOGRAM_STRIDE;
    }
}
