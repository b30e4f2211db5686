package org.kvmdb.tools.demo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * What the worker did, in its own words. Lines appended with one write each: they outlive a killed process because the
 * page cache is the kernel's. A machine that loses power would need more than this.
 *
 * <pre>
 * i thread number            a transaction is about to start
 * a thread number nanos      its commit has returned
 * s nine counters            statistics of the store so far
 * </pre>
 */
final class CommitRecord {

    /** Of the worker's store since it was opened. */
    record Progress(
            long bytesWritten,
            long blockBytes,
            long changedBytes,
            long flushes,
            long commits,
            long checkpoints,
            long readFaults,
            long writeFaults,
            long stolenPages) {

        static final Progress NONE = new Progress(0, 0, 0, 0, 0, 0, 0, 0, 0);

        Progress plus(Progress other) {
            return new Progress(
                    bytesWritten + other.bytesWritten,
                    blockBytes + other.blockBytes,
                    changedBytes + other.changedBytes,
                    flushes + other.flushes,
                    commits + other.commits,
                    checkpoints + other.checkpoints,
                    readFaults + other.readFaults,
                    writeFaults + other.writeFaults,
                    stolenPages + other.stolenPages);
        }
    }

    private final long[] issued;
    private final long[] acknowledged;
    private long acknowledgements;
    private long firstNanos;
    private long lastNanos;
    private Progress progress = Progress.NONE;

    private CommitRecord(long[] resumedAt) {
        this.issued = resumedAt.clone();
        this.acknowledged = resumedAt.clone();
    }

    /** @param resumedAt what each thread's ledger stood at when the worker started */
    static CommitRecord read(Path file, long[] resumedAt) throws IOException {
        CommitRecord record = new CommitRecord(resumedAt);
        String text = Files.exists(file) ? Files.readString(file, StandardCharsets.US_ASCII) : "";
        // A last line without an end is one that the kill prevented.
        text.substring(0, text.lastIndexOf('\n') + 1).lines().forEach(line -> record.add(line.split(" ")));
        return record;
    }

    private void add(String[] words) {
        long[] numbers = Arrays.stream(words).skip(1).mapToLong(Long::parseLong).toArray();
        switch (words[0]) {
            case "i" -> issued[(int) numbers[0]] = numbers[1];
            case "a" -> acknowledge((int) numbers[0], numbers[1], numbers[2]);
            case "s" -> progress = new Progress(
                    numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7],
                    numbers[8]);
            default -> throw new IllegalStateException("unknown line in the record: " + String.join(" ", words));
        }
    }

    private void acknowledge(int thread, long number, long nanos) {
        acknowledged[thread] = number;
        firstNanos = acknowledgements == 0 ? nanos : Math.min(firstNanos, nanos);
        lastNanos = acknowledgements == 0 ? nanos : Math.max(lastNanos, nanos);
        acknowledgements++;
    }

    long issued(int thread) {
        return issued[thread];
    }

    long acknowledged(int thread) {
        return acknowledged[thread];
    }

    long acknowledgements() {
        return acknowledgements;
    }

    /** Transactions that were started and whose commit had not returned. */
    int inFlight() {
        int count = 0;
        for (int thread = 0; thread < issued.length; thread++) {
            count += issued[thread] > acknowledged[thread] ? 1 : 0;
        }
        return count;
    }

    /** From the first acknowledgement to the last. */
    long activeNanos() {
        return lastNanos - firstNanos;
    }

    Progress progress() {
        return progress;
    }

    /** The worker's side. Thread-safe. */
    static final class Writer implements AutoCloseable {

        private final FileChannel channel;

        Writer(Path file) throws IOException {
            channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.APPEND);
        }

        void issue(int thread, long number) throws IOException {
            append("i " + thread + ' ' + number + '\n');
        }

        void acknowledge(int thread, long number) throws IOException {
            append("a " + thread + ' ' + number + ' ' + System.nanoTime() + '\n');
        }

        void progress(Progress at) throws IOException {
            append("s %d %d %d %d %d %d %d %d %d%n".formatted(
                    at.bytesWritten, at.blockBytes, at.changedBytes, at.flushes, at.commits, at.checkpoints,
                    at.readFaults, at.writeFaults, at.stolenPages));
        }

        private void append(String line) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII));
            if (channel.write(buffer) != line.length()) {
                throw new IOException("the record could not be written");
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
