package org.kvmdb.journal;

import java.time.InstantSource;
import java.util.random.RandomGenerator;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * Options for creating or opening a journal.
 *
 * @param segmentSizeBytes only for creation: a power of two, 64 KiB to 16 MiB
 * @param maxSizeBytes limit of the device's size
 * @param growStepSegments segments that are allocated at a time
 * @param checkpointRecordsMax records since the last checkpoint after which one is due at the latest
 * @param pooledSegmentsMax free segments that keep their disk space when a store is opened
 * @param dictionarySampleBytes bytes of pages to write before a dictionary is made from samples of them; 0: no
 *     dictionary
 * @param readOnly whether to write nothing, and recover in memory
 * @param random source of identities and salts; fixed in tests
 * @param clock dates snapshots; nothing else depends on it
 */
public record JournalOptions(
        int segmentSizeBytes,
        long maxSizeBytes,
        int growStepSegments,
        long checkpointRecordsMax,
        int pooledSegmentsMax,
        long dictionarySampleBytes,
        boolean readOnly,
        RandomGenerator random,
        InstantSource clock) {

    static final int SEGMENT_SIZE_BYTES_MIN = 64 << 10;

    public JournalOptions {
        if (!isSegmentSize(segmentSizeBytes)) {
            throw invalid("segment size must be a power of two from 64 KiB to 16 MiB: " + segmentSizeBytes);
        }
        if (maxSizeBytes < SuperblockDescriptor.SEGMENTS_OFFSET) {
            throw invalid("maximum size is less than the superblocks need: " + maxSizeBytes);
        }
        if (growStepSegments < 1 || checkpointRecordsMax < 1 || pooledSegmentsMax < 0 || dictionarySampleBytes < 0) {
            throw invalid("growStepSegments=%d checkpointRecordsMax=%d pooledSegmentsMax=%d dictionarySampleBytes=%d"
                    .formatted(growStepSegments, checkpointRecordsMax, pooledSegmentsMax, dictionarySampleBytes));
        }
    }

    public static JournalOptions defaults() {
        return new JournalOptions(
                Ppn.SEGMENT_BYTES_MAX, 64L << 40, 4, 4_000_000, 8, 16 << 20, false, new java.security.SecureRandom(),
                InstantSource.system());
    }

    static boolean isSegmentSize(int sizeBytes) {
        return Integer.bitCount(sizeBytes) == 1
                && sizeBytes >= SEGMENT_SIZE_BYTES_MIN
                && sizeBytes <= Ppn.SEGMENT_BYTES_MAX;
    }

    private static StorageException invalid(String message) {
        return new StorageException(ErrorCode.INVALID, "invalid journal options: " + message);
    }

    public JournalOptions withSegmentSizeBytes(int bytes) {
        return new JournalOptions(
                bytes, maxSizeBytes, growStepSegments, checkpointRecordsMax, pooledSegmentsMax,
                dictionarySampleBytes, readOnly, random, clock);
    }

    public JournalOptions withMaxSizeBytes(long bytes) {
        return new JournalOptions(
                segmentSizeBytes, bytes, growStepSegments, checkpointRecordsMax, pooledSegmentsMax,
                dictionarySampleBytes, readOnly, random, clock);
    }

    public JournalOptions withGrowStepSegments(int segments) {
        return new JournalOptions(
                segmentSizeBytes, maxSizeBytes, segments, checkpointRecordsMax, pooledSegmentsMax,
                dictionarySampleBytes, readOnly, random, clock);
    }

    public JournalOptions withCheckpointRecordsMax(long records) {
        return new JournalOptions(
                segmentSizeBytes, maxSizeBytes, growStepSegments, records, pooledSegmentsMax,
                dictionarySampleBytes, readOnly, random, clock);
    }

    public JournalOptions withPooledSegmentsMax(int segments) {
        return new JournalOptions(
                segmentSizeBytes, maxSizeBytes, growStepSegments, checkpointRecordsMax, segments,
                dictionarySampleBytes, readOnly, random, clock);
    }

    public JournalOptions withDictionarySampleBytes(long bytes) {
        return new JournalOptions(
                segmentSizeBytes, maxSizeBytes, growStepSegments, checkpointRecordsMax, pooledSegmentsMax,
                bytes, readOnly, random, clock);
    }

    public JournalOptions withReadOnly(boolean value) {
        return new JournalOptions(
                segmentSizeBytes, maxSizeBytes, growStepSegments, checkpointRecordsMax, pooledSegmentsMax,
                dictionarySampleBytes, value, random, clock);
    }

    public JournalOptions withRandom(RandomGenerator value) {
        return new JournalOptions(
                segmentSizeBytes, maxSizeBytes, growStepSegments, checkpointRecordsMax, pooledSegmentsMax,
                dictionarySampleBytes, readOnly, value, clock);
    }

    public JournalOptions withClock(InstantSource value) {
        return new JournalOptions(
                segmentSizeBytes, maxSizeBytes, growStepSegments, checkpointRecordsMax, pooledSegmentsMax,
                dictionarySampleBytes, readOnly, random, value);
    }
}
