package org.kvmdb.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommitRecordTest {

    @TempDir
    private Path directory;

    @Test
    void shouldIgnoreTheLastLineWhenTheKillCutIt() throws IOException {
        Path file = Files.writeString(directory.resolve("r"), "i 0 6\na 0 6 100\ni 1 3\na 1 3 400\ni 0 7\na 0 7");
        CommitRecord record = CommitRecord.read(file, new long[] {5, 2, 9});
        assertEquals(6, record.acknowledged(0));
        assertEquals(7, record.issued(0));
        assertEquals(3, record.acknowledged(1));
        // A thread that had not got going stands where it was.
        assertEquals(9, record.acknowledged(2));
        assertEquals(9, record.issued(2));
        assertEquals(1, record.inFlight());
        assertEquals(2, record.acknowledgements());
        assertEquals(300, record.activeNanos());
    }

    @Test
    void shouldReadBackWhatWasWritten() throws IOException {
        Path file = directory.resolve("r");
        CommitRecord.Progress progress = new CommitRecord.Progress(1, 2, 3, 4, 5, 6, 7, 8, 9);
        try (CommitRecord.Writer writer = new CommitRecord.Writer(file)) {
            writer.issue(0, 1);
            writer.progress(progress);
            writer.acknowledge(0, 1);
        }
        CommitRecord record = CommitRecord.read(file, new long[1]);
        assertEquals(progress, record.progress());
        assertEquals(0, record.inFlight());
        assertEquals(1, record.acknowledged(0));
    }

    @Test
    void shouldBeEmptyWhenThereIsNoFile() throws IOException {
        assertEquals(0, CommitRecord.read(directory.resolve("none"), new long[1]).acknowledgements());
    }
}
