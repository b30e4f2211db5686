package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/** Streams as bytes: what was written is read, and nothing else passes. */
class StreamFormatTest {

    private static final StreamHeader FULL =
            new StreamHeader(1, 2, "orders", "monday", "", 77, 0, 1_700_000_000_000L, 100L << 12, 12, 9);
    private static final StreamHeader INCREMENTAL =
            new StreamHeader(1, 2, "orders", "tuesday", "monday", 78, 77, -1, 100L << 12, 12, 10);

    /** A stream of three chunks of changes. */
    private static byte[] stream(StreamHeader header, int payloadLength) {
        final StreamWriter writer = new StreamWriter();
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        put(out, writer.begin(header));
        for (int chunk = 0; chunk < 3; chunk++) {
            writer.page(20 * chunk, BlockDescriptor.CODEC_LZ4, payload(payloadLength, chunk));
            writer.holes(20 * chunk + 1, 3);
            writer.page(20 * chunk + 4, BlockDescriptor.CODEC_RAW, payload(4096, chunk + 10));
            put(out, writer.changes());
        }
        put(out, writer.end());
        assertEquals(out.size(), writer.totals().streamBytes());
        return out.toByteArray();
    }

    private static MemorySegment payload(int length, long seed) {
        final byte[] bytes = new byte[length];
        final SplittableRandom random = new SplittableRandom(seed);
        random.nextBytes(bytes);
        return MemorySegment.ofArray(bytes);
    }

    private static void put(ByteArrayOutputStream out, MemorySegment chunk) {
        out.writeBytes(chunk.toArray(ValueLayout.JAVA_BYTE));
    }

    /** Every record in words. */
    private static List<String> read(byte[] stream) throws IOException {
        final List<String> result = new ArrayList<>();
        final StreamReader reader = new StreamReader(new ByteArrayInputStream(stream));
        result.add(reader.begin().toString());
        while (reader.next()) {
            reader.forEach(new StreamReader.RecordVisitor() {
                @Override
                public void page(long lpn, int codec, MemorySegment payload) {
                    result.add("page %d %d %d".formatted(
                            lpn, codec, Arrays.hashCode(payload.toArray(ValueLayout.JAVA_BYTE))));
                }

                @Override
                public void holes(long firstLpn, long count) {
                    result.add("holes %d %d".formatted(firstLpn, count));
                }
            });
        }
        assertEquals(stream.length, reader.totals().streamBytes());
        return result;
    }

    private static ErrorCode refusal(byte[] stream) {
        return assertThrows(StorageException.class, () -> read(stream)).code();
    }

    @Test
    void shouldReadWhatWasWritten() throws IOException {
        for (StreamHeader header : List.of(FULL, INCREMENTAL)) {
            final List<String> expected = new ArrayList<>(List.of(header.toString()));
            for (int chunk = 0; chunk < 3; chunk++) {
                expected.add("page %d 2 %d".formatted(20 * chunk, hash(500, chunk)));
                expected.add("holes %d 3".formatted(20 * chunk + 1));
                expected.add("page %d 1 %d".formatted(20 * chunk + 4, hash(4096, chunk + 10)));
            }
            assertEquals(expected, read(stream(header, 500)));
        }
    }

    private static int hash(int length, long seed) {
        return Arrays.hashCode(payload(length, seed).toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void shouldMakeTheSameBytesOfTheSame() {
        assertArrayEquals(stream(FULL, 500), stream(FULL, 500));
    }

    @Test
    void shouldRefuseWhenAnyByteIsFlipped() {
        final byte[] stream = stream(INCREMENTAL, 50);
        for (int at = 0; at < stream.length; at++) {
            final byte[] damaged = stream.clone();
            damaged[at] ^= (byte) (1 << at % 8);
            final ErrorCode code = refusal(damaged);
            assertTrue(code == ErrorCode.CORRUPT_STREAM || code == ErrorCode.TOO_NEW, () -> "code " + code);
        }
    }

    @Test
    void shouldRefuseWhenItIsCutOffAnywhereOrGoesOn() {
        final byte[] stream = stream(FULL, 50);
        for (int length = 0; length < stream.length; length++) {
            assertEquals(ErrorCode.CORRUPT_STREAM, refusal(Arrays.copyOf(stream, length)));
        }
        assertEquals(ErrorCode.CORRUPT_STREAM, refusal(Arrays.copyOf(stream, stream.length + 1)));
    }

    @Test
    void shouldRefuseWhenChunksAreLeftOutDoubledOrChanged() {
        final byte[] other = stream(new StreamHeader(1, 2, "o", "m", "", 5, 0, 0, 100L << 12, 12, 9), 50);
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 5; j++) {
                final StreamForge forge = new StreamForge(stream(FULL, 50));
                forge.chunks().set(i, j == i ? new StreamForge(other).chunks().get(i) : forge.chunks().get(j));
                if (i == j) {
                    assertEquals(ErrorCode.CORRUPT_STREAM, refusal(joined(forge)));
                } else {
                    assertEquals(ErrorCode.CORRUPT_STREAM, refusal(forge.seal()), "chunk %d for %d".formatted(j, i));
                }
            }
        }
    }

    private static byte[] joined(StreamForge forge) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        forge.chunks().forEach(out::writeBytes);
        return out.toByteArray();
    }

    /** Checksums right, content not: each case is either read as something possible or refused by type. */
    @Test
    void shouldNeverFailInAnyOtherWayWhenAnEnemyWroteIt() throws IOException {
        final byte[] stream = stream(INCREMENTAL, 50);
        final Set<ErrorCode> codes = EnumSet.noneOf(ErrorCode.class);
        int passed = 0;
        for (int seed = 0; seed < 20_000; seed++) {
            final SplittableRandom random = new SplittableRandom(seed);
            final StreamForge forge = new StreamForge(stream);
            StreamEnemy.change(forge, random);
            try {
                read(forge.seal(random.nextInt(4) > 0));
                passed++;
            } catch (StorageException e) {
                codes.add(e.code());
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertEquals(EnumSet.of(ErrorCode.CORRUPT_STREAM, ErrorCode.TOO_NEW), codes);
        assertTrue(passed > 0, "payloads, LSN or time must have been hit");
    }

    @Test
    void shouldRefuseToWriteWhatNobodyWouldRead() {
        for (StreamHeader header : List.of(
                new StreamHeader(1, 2, "../x", "m", "", 5, 0, 0, 4096, 12, 9),
                new StreamHeader(1, 2, "x", "", "", 5, 0, 0, 4096, 12, 9),
                new StreamHeader(1, 2, "x", "m", "b", 5, 0, 0, 4096, 12, 9),
                new StreamHeader(1, 2, "x", "m", "", 5, 4, 0, 4096, 12, 9),
                new StreamHeader(1, 2, "x", "m", "", 0, 0, 0, 4096, 12, 9),
                new StreamHeader(1, 2, "x", "m", "", 5, 0, 0, 4096, 11, 9),
                new StreamHeader(1, 2, "x", "m", "", 5, 0, 0, -1, 12, 9),
                new StreamHeader(1, 2, "x", "m", "", 5, 0, 0, (1L << 48) + 1, 12, 9))) {
            final StorageException e = assertThrows(StorageException.class, () -> new StreamWriter().begin(header));
            assertEquals(ErrorCode.INVALID, e.code());
        }
    }
}
