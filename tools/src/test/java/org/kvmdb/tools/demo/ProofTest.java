package org.kvmdb.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The proof must fail when it has to: every kind of wrong store is shown to it. */
class ProofTest {

    private static final int PAGE_BYTES = 4096;
    private static final int THREADS = 3;
    private static final int ISSUED = 20;
    private static final int ACKNOWLEDGED = 19;

    @TempDir
    private Path directory;

    private Proof proof;
    private Workload workload;
    private FakeVolume data;
    private FakeVolume ledger;
    private CommitRecord record;

    @BeforeEach
    void writeAndRecord() throws IOException {
        byte[] input = new byte[50 * PAGE_BYTES - 100];
        new Random(5).nextBytes(input);
        Path file = Files.write(directory.resolve("input"), input);
        DemoSettings settings =
                new DemoSettings(file, input.length, PAGE_BYTES, directory, false, 1, THREADS, 42);
        proof = Proof.of(settings);
        workload = proof.workload();
        data = new FakeVolume(Demo.DATA, settings.dataSizeBytes(), PAGE_BYTES);
        ledger = new FakeVolume(Demo.LEDGER, workload.ledgerSizeBytes(), PAGE_BYTES);
        MemorySegment.copy(input, 0, data.memory(), ValueLayout.JAVA_BYTE, 0, input.length);
        Path recordFile = directory.resolve("record");
        try (CommitRecord.Writer writer = new CommitRecord.Writer(recordFile)) {
            for (int number = 1; number <= ISSUED; number++) {
                for (int thread = 0; thread < THREADS; thread++) {
                    writer.issue(thread, number);
                    if (number <= ACKNOWLEDGED) {
                        writer.acknowledge(thread, number);
                    }
                }
            }
        }
        record = CommitRecord.read(recordFile, new long[THREADS]);
    }

    @AfterEach
    void closeProof() {
        proof.close();
    }

    private void apply(int thread, int from, int to) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(PAGE_BYTES);
            for (int number = from; number <= to; number++) {
                workload.apply(thread, number, data.memory(), ledger.memory(), scratch);
            }
        }
    }

    private long prove() throws InterruptedException {
        return proof.proveRecovered(new FakeStore(data, ledger), record, 9);
    }

    private String failure() {
        return assertThrows(ProofFailedException.class, this::prove).getMessage();
    }

    @Test
    void shouldPassWhenExactlyTheAcknowledgedIsThere() throws InterruptedException {
        for (int thread = 0; thread < THREADS; thread++) {
            apply(thread, 1, ACKNOWLEDGED);
        }
        assertEquals(0, prove());
        assertEquals(ACKNOWLEDGED, proof.standing()[0]);
    }

    @Test
    void shouldPassWhenACommitInFlightIsThereInWhole() throws InterruptedException {
        for (int thread = 0; thread < THREADS; thread++) {
            apply(thread, 1, thread == 1 ? ISSUED : ACKNOWLEDGED);
        }
        assertEquals(1, prove());
        assertEquals(3, record.inFlight());
    }

    @Test
    void shouldFailWhenAnAcknowledgedCommitIsLost() {
        for (int thread = 0; thread < THREADS; thread++) {
            apply(thread, 1, thread == 2 ? ACKNOWLEDGED - 1 : ACKNOWLEDGED);
        }
        assertTrue(failure().contains("acknowledged commits are lost: thread=2 acknowledged=19 found=18"));
    }

    @Test
    void shouldFailWhenATransactionIsThereThatWasNeverStarted() {
        for (int thread = 0; thread < THREADS; thread++) {
            apply(thread, 1, ISSUED + 1);
        }
        assertTrue(failure().contains("never started"));
    }

    @Test
    void shouldFailWhenTheLedgerIsAheadOfTheData() {
        for (int thread = 0; thread < THREADS; thread++) {
            apply(thread, 1, ACKNOWLEDGED);
        }
        ledger.memory().set(ValueLayout.JAVA_LONG, workload.ledgerOffset(1), ISSUED);
        assertTrue(failure().contains("volume modules differs"));
    }

    @Test
    void shouldFailWhenTheDataIsAheadOfTheLedger() {
        for (int thread = 0; thread < THREADS; thread++) {
            apply(thread, 1, ACKNOWLEDGED);
        }
        apply(0, ISSUED, ISSUED);
        ledger.memory().set(ValueLayout.JAVA_LONG, workload.ledgerOffset(0), ACKNOWLEDGED);
        assertTrue(failure().contains("volume modules differs"));
    }

    @Test
    void shouldFailAndNameThePlaceWhenASingleBitIsWrongAnywhere() {
        for (int thread = 0; thread < THREADS; thread++) {
            apply(thread, 1, ACKNOWLEDGED);
        }
        // In the padding behind the input's end: no page is exempt.
        long offset = data.sizeBytes() - 1;
        data.memory().set(ValueLayout.JAVA_BYTE, offset, (byte) 1);
        assertTrue(failure().contains("lpn=49 offset=4095 expected=0x00 actual=0x01"));
    }
}
