package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.CrashStates;
import org.kvmdb.journal.simulation.KeptDevice;
import org.kvmdb.journal.simulation.RecordingDevice;

/** Streams that are damaged, cut off, forged, or cut short by a crash: what is seen is all of it or nothing. */
class SnapshotStreamDamageTest extends StreamPair {

    private byte[] small() {
        work.createVolume("a", 40L << 12, 12);
        work.put("a", true, 0, 3, 6, 9, 12, 15);
        final SnapshotEntry s0 = snapshot("a", "s0");
        TestStreams.receive(target, send(s0, null), "b", false);
        work.put("a", true, 3, 20, 23);
        work.trim("a", true, 6, 9, 12);
        return send(snapshot("a", "s1"), s0);
    }

    @Test
    void shouldRefuseWhenAnyByteIsFlippedAndChangeNothing() {
        final byte[] stream = small();
        final Map<String, String> before = TestStreams.visible(target);
        for (int at = 0; at < stream.length; at++) {
            final byte[] damaged = stream.clone();
            damaged[at] ^= (byte) (1 << at % 8);
            final ErrorCode code = assertThrows(
                    StorageException.class, () -> TestStreams.receive(target, damaged, "b", false)).code();
            assertTrue(code == ErrorCode.CORRUPT_STREAM || code == ErrorCode.TOO_NEW, () -> "code " + code);
            if (at % 500 == 0) {
                assertEquals(before, TestStreams.visible(target));
            }
        }
        assertEquals(before, TestStreams.visible(target));
        TestStreams.receive(target, stream, "b", false);
        verify(source().versions().snapshot("a", "s1"), "b");
    }

    @Test
    void shouldRefuseWhenItIsCutOffAnywhereAndGoOnFromThere() {
        final byte[] stream = small();
        final Map<String, String> before = TestStreams.visible(target);
        for (int length = 0; length < stream.length; length += length < 400 ? 1 : 7) {
            final byte[] part = Arrays.copyOf(stream, length);
            assertCode(ErrorCode.CORRUPT_STREAM, () -> TestStreams.receive(target, part, "b", false));
            if (length % 100 == 0) {
                assertEquals(before, TestStreams.visible(target));
            }
        }
        assertEquals(before, TestStreams.visible(target));
        TestStreams.receive(target, stream, "b", false);
        verify(source().versions().snapshot("a", "s1"), "b");
    }

    @Test
    void shouldRefuseWhatAnEnemyWroteAndChangeNothing() {
        final byte[] stream = small();
        final Map<String, String> before = TestStreams.visible(target);
        final Set<ErrorCode> codes = EnumSet.noneOf(ErrorCode.class);
        int passed = 0;
        for (int seed = 0; seed < 4000; seed++) {
            final StreamForge forge = new StreamForge(stream);
            StreamEnemy.change(forge, new SplittableRandom(seed));
            final byte[] forged = forge.seal();
            try {
                TestStreams.receive(target, forged, "b", false);
                // It is right in itself: what it says is what is there, and going back undoes it.
                passed++;
                target.versions().rollbackTo(target.volume("b").id(), target.versions().snapshot("b", "s0").id());
                target.versions().snapshots(target.volume("b").id()).stream()
                        .filter(snapshot -> !snapshot.snapshotName().equals("s0"))
                        .forEach(snapshot -> target.versions().deleteSnapshot(snapshot.id()));
            } catch (StorageException e) {
                codes.add(e.code());
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
            while (target.versions().dropStep(1000)) {}
            if (seed % 200 == 0) {
                target.checkpoint();
                assertEquals(before, TestStreams.visible(target), () -> "at " + codes);
            }
        }
        assertEquals(before, TestStreams.visible(target));
        assertEquals(0, target.space().reservedBytes());
        assertTrue(codes.contains(ErrorCode.CORRUPT_STREAM) && codes.contains(ErrorCode.WRONG_BASE), codes::toString);
        assertTrue(EnumSet.of(
                        ErrorCode.CORRUPT_STREAM, ErrorCode.WRONG_BASE, ErrorCode.TOO_NEW, ErrorCode.SNAPSHOT_EXISTS,
                        ErrorCode.VOLUME_EXISTS)
                .containsAll(codes), codes::toString);
        assertTrue(passed > 0, "a time or an LSN must have been hit");
    }

    @Test
    void shouldNotGoOnWithAnotherStreamThanTheOneBegun() {
        work.createVolume("a", 3000L << 12, 12);
        work.put("a", true, range(0, 3000));
        final SnapshotEntry snapshot = snapshot("a", "s");
        final byte[] right = send(snapshot, null);
        final StreamForge forge = new StreamForge(right);
        forge.chunks().get(1)[StreamChunkDescriptor.HEADER_LENGTH + StreamRecordDescriptor.LENGTH + 100] ^= 1;
        // An enemy's first part of it that decodes: a raw page, for the second chunk of the workload is incompressible.
        final byte[] forged = forge.seal();
        assertNotEquals(Arrays.hashCode(right), Arrays.hashCode(forged));
        assertCode(
                ErrorCode.CORRUPT_STREAM,
                () -> TestStreams.receive(target, Arrays.copyOf(forged, forged.length - 10), "b", false));
        assertEquals(1, TestStreams.hidden(target));
        assertCode(ErrorCode.CORRUPT_STREAM, () -> TestStreams.receive(target, right, "b", false));
        assertEquals(0, TestStreams.hidden(target));
        assertEquals(Map.of(), TestStreams.visible(target));
        TestStreams.receive(target, right, "b", false);
        verify(snapshot, "b");
    }

    @Test
    void shouldDropWhatWasBegunWhenAnotherStreamComes() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final byte[] first = send(snapshot("a", "s0"), null);
        final SnapshotEntry second = snapshot("a", "s1");
        assertCode(
                ErrorCode.CORRUPT_STREAM,
                () -> TestStreams.receive(target, Arrays.copyOf(first, first.length - 1), "b", false));
        assertEquals(1, TestStreams.hidden(target));
        TestStreams.receive(target, send(second, null), "b", false);
        verify(second, "b");
    }

    // ---- interruption ----

    @Test
    void shouldGoOnWhereItWasInterruptedEvenWhenTheProcessWasKilled() throws Exception {
        work.createVolume("a", 6000L << 12, 12);
        work.put("a", true, range(0, 3000));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.put("a", true, range(2000, 4000));
        work.trim("a", true, range(0, 1000));
        final SnapshotEntry s1 = snapshot("a", "s1");
        receiveInPieces(s0, send(s0, null), 11);
        receiveInPieces(s1, send(s1, s0), 12);
    }

    private void receiveInPieces(SnapshotEntry sent, byte[] stream, long seed) throws Exception {
        final SplittableRandom random = new SplittableRandom(seed);
        final Map<String, String> before = TestStreams.visible(target);
        long resumed = 0;
        for (int length = 0; length < stream.length; length += 1 + random.nextInt(stream.length / 12)) {
            final StreamReader reader =
                    new StreamReader(new ByteArrayInputStream(Arrays.copyOf(stream, length)));
            final int whole = length;
            assertCode(ErrorCode.CORRUPT_STREAM, () -> TestStreams.receive(
                    target, Arrays.copyOf(stream, whole), "b", false));
            if (random.nextBoolean()) {
                reopenTarget();
            }
            if (length > 2 << 20) {
                final StreamHeader header = reader.begin();
                try (SnapshotReceiver receiver = new SnapshotReceiver(target, reader, header, "b", false)) {
                    reader.next();
                    receiver.accept();
                    resumed += receiver.resumedBytes();
                }
            }
            assertEquals(before, TestStreams.visible(target));
        }
        assertTrue(resumed > 0);
        TestStreams.receive(target, stream, "b", false);
        verify(sent, "b");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldShowAllOrNothingWhateverACrashLeaves(boolean isIncremental) {
        work.createVolume("a", 60L << 12, 12);
        work.put("a", true, range(0, 20));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.put("a", true, range(5, 30));
        work.trim("a", true, 2, 3, 4);
        final SnapshotEntry s1 = snapshot("a", "s1");
        final String volume = isIncremental ? "b" : "c";
        final byte[] stream = chunked(send(s1, isIncremental ? s0 : null));
        final JournalOptions tiny = Workload.tinyOptions();
        final KeptDevice kept = new KeptDevice(new MemoryDevice("recorded"));
        final Map<String, String> before;
        try (Journal journal = Journal.create(kept, tiny)) {
            TestStreams.receive(journal, send(s0, null), "b", false);
            before = TestStreams.visible(journal);
        }
        kept.reopen();
        final RecordingDevice recording = new RecordingDevice(kept.medium());
        final Map<String, String> after;
        try (Journal journal = Journal.open(recording, tiny)) {
            TestStreams.receive(journal, stream, volume, false);
            after = TestStreams.visible(journal);
        }
        assertNotEquals(before, after);
        final int[] seen = new int[2];
        new CrashStates(recording, 5, CrashStates.Limits.FEW, state -> {
            try (Journal journal = Journal.open(state.materialize(), tiny)) {
                final Map<String, String> found = TestStreams.visible(journal);
                if (found.equals(before)) {
                    seen[0]++;
                    TestStreams.receive(journal, stream, volume, false);
                    assertEquals(after, TestStreams.visible(journal), () -> "state " + state.number());
                } else {
                    seen[1]++;
                    assertEquals(after, found, () -> "state " + state.number());
                }
                assertEquals(0, TestStreams.hidden(journal));
            }
        }).walk(0, 0, 0);
        recording.dispose();
        assertTrue(seen[0] > 20 && seen[1] > 2, () -> Arrays.toString(seen));
    }

    /** The same records in a chunk each. */
    private static byte[] chunked(byte[] stream) {
        final StreamForge forge = new StreamForge(stream);
        for (int i = 1; i < forge.chunks().size() - 1; i++) {
            final byte[] chunk = forge.chunks().get(i);
            final MemorySegment bytes = MemorySegment.ofArray(chunk);
            final int first = StreamChunkDescriptor.HEADER_LENGTH
                    + StreamRecordDescriptor.LENGTH
                    + Fields.intAt(bytes, StreamChunkDescriptor.HEADER_LENGTH
                            + StreamRecordDescriptor.PAYLOAD_LENGTH_OFFSET);
            if (first < chunk.length) {
                final byte[] rest = Arrays.copyOf(chunk, chunk.length - first + StreamChunkDescriptor.HEADER_LENGTH);
                System.arraycopy(chunk, first, rest, StreamChunkDescriptor.HEADER_LENGTH, chunk.length - first);
                forge.chunks().set(i, Arrays.copyOf(chunk, first));
                forge.chunks().add(i + 1, rest);
            }
        }
        return forge.seal();
    }

    @Test
    void shouldRefusePayloadsThatDoNotDecodeToAPage() {
        work.createVolume("a", 40L << 12, 12);
        work.put("a", true, 0, 1, 2, 3, 4, 5);
        final byte[] stream = send(snapshot("a", "s"), null);
        int refused = 0;
        for (int seed = 0; seed < 500; seed++) {
            final SplittableRandom random = new SplittableRandom(seed);
            final StreamForge forge = new StreamForge(stream);
            final byte[] changes = forge.chunks().get(1);
            final int codecAt = StreamChunkDescriptor.HEADER_LENGTH + StreamRecordDescriptor.CODEC_OFFSET;
            if (random.nextInt(10) == 0) {
                changes[codecAt] ^= BlockDescriptor.CODEC_RAW ^ BlockDescriptor.CODEC_LZ4;
            } else {
                final int payload = StreamChunkDescriptor.HEADER_LENGTH + StreamRecordDescriptor.LENGTH;
                changes[payload + random.nextInt(60)] = (byte) random.nextInt();
            }
            try {
                TestStreams.receive(target, forge.seal(), "v" + seed, false);
                target.versions().readPage(target.volume("v" + seed), 0, Arena.ofAuto().allocate(4096));
            } catch (StorageException e) {
                assertEquals(ErrorCode.CORRUPT_STREAM, e.code(), "seed " + seed);
                SnapshotReceiver.abandon(target, "v" + seed);
                refused++;
            }
        }
        assertTrue(refused > 50, "refused " + refused);
    }
}
