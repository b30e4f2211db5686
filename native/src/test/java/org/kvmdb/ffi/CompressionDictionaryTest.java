package org.kvmdb.ffi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CompressionDictionaryTest {

    private static final int PAGE_SHIFT = 12;
    private static final int PAGE_BYTES = 1 << PAGE_SHIFT;

    private final Arena arena = Arena.ofShared();
    private long reservedBytes;

    /**
     * What no compressor makes shorter by itself; a page of it needs the dictionary. LZ4 finds little of what stands far from the
     * end of a longer one.
     */
    private final byte[] content = noise(1, 2 * PAGE_BYTES);

    @BeforeEach
    void countMemory() {
        reservedBytes = NativeMemory.reservedBytes();
    }

    @AfterEach
    void shouldHaveGivenAllMemoryBack() {
        arena.close();
        assertEquals(reservedBytes, NativeMemory.reservedBytes());
    }

    private static byte[] noise(long seed, int length) {
        final byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private CompressionDictionary dictionary() {
        return CompressionDictionary.of(MemorySegment.ofArray(content));
    }

    private MemorySegment pageFrom(int at) {
        return arena.allocate(PAGE_BYTES, Long.BYTES).copyFrom(MemorySegment.ofArray(content).asSlice(at, PAGE_BYTES));
    }

    @Test
    void shouldHoldACopyOfItsContent() {
        final byte[] given = content.clone();
        try (CompressionDictionary dictionary = CompressionDictionary.of(MemorySegment.ofArray(given))) {
            given[0]++;
            assertEquals(content.length, dictionary.lengthBytes());
            assertArrayEquals(content, dictionary.content().toArray(ValueLayout.JAVA_BYTE));
            assertTrue(dictionary.content().isReadOnly());
        }
    }

    @Test
    void shouldRefuseAContentOfNoLengthOrOfTooMuch() {
        for (int length : new int[] {0, CompressionDictionary.LENGTH_MAX + 1}) {
            final StorageException e = assertThrows(
                    StorageException.class, () -> CompressionDictionary.of(MemorySegment.ofArray(new byte[length])));
            assertEquals(ErrorCode.INVALID, e.code());
        }
    }

    @Test
    void shouldThrowWhenThereIsNoMemory() {
        try (FaultPlan plan = FaultPlan.arm(FaultPlan.Rule.failing(Errno.ENOMEM, FaultPlan.Operation.MEMORY))) {
            final StorageException e = assertThrows(StorageException.class, this::dictionary);
            assertEquals(ErrorCode.IO, e.code());
            assertEquals(1, plan.hits(0));
        }
    }

    @Test
    void shouldThrowWhenItIsUsedAfterClose() {
        final CompressionDictionary dictionary = dictionary();
        dictionary.close();
        dictionary.close();
        final MemorySegment page = pageFrom(0);
        assertEquals(ErrorCode.CLOSED, assertThrows(StorageException.class, dictionary::content).code());
        assertEquals(
                ErrorCode.CLOSED,
                assertThrows(StorageException.class, () -> dictionary.decompress(page, page)).code());
    }

    @Test
    void shouldGiveBackWhatWasCompressedWhenThePayloadIsRight() {
        try (CompressionDictionary dictionary = dictionary()) {
            final MemorySegment page = pageFrom(1234);
            final MemorySegment target = arena.allocate(PAGE_BYTES);
            final MemorySegment back = arena.allocate(PAGE_BYTES);
            final int length = dictionary.compress(page, target);
            assertTrue(length > 0 && length < 64, () -> "length " + length);
            assertEquals(PAGE_BYTES, dictionary.decompress(target.asSlice(0, length), back));
            assertEquals(-1, page.mismatch(back));
            assertEquals(0, dictionary.compress(page, target.asSlice(0, length - 1)));
            assertTrue(dictionary.decompress(target.asSlice(0, length - 1), back) != PAGE_BYTES);
            assertTrue(dictionary.decompress(target.asSlice(0, length), back.asSlice(0, PAGE_BYTES - 1)) < 0);
            final MemorySegment others = arena.allocate(PAGE_BYTES).copyFrom(MemorySegment.ofArray(noise(2, PAGE_BYTES)));
            assertEquals(0, dictionary.compress(others, target));
        }
    }

    @Test
    void shouldCompressAlikeWhenThreadsShareIt() throws Exception {
        try (CompressionDictionary dictionary = dictionary();
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            final List<Future<Boolean>> good = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                final int from = 1000 * t;
                good.add(threads.submit(() -> {
                    final MemorySegment target = arena.allocate(PAGE_BYTES);
                    final MemorySegment back = arena.allocate(PAGE_BYTES);
                    for (int i = 0; i < 1000; i++) {
                        final MemorySegment page = pageFrom(from + i);
                        final int length = dictionary.compress(page, target);
                        if (dictionary.decompress(target.asSlice(0, length), back) != PAGE_BYTES || page.mismatch(back) >= 0) {
                            return false;
                        }
                    }
                    return true;
                }));
            }
            for (Future<Boolean> thread : good) {
                assertTrue(thread.get());
            }
        }
    }

    @Test
    void shouldEncodeAgainstTheDictionaryThatTheBuffersHave() {
        PageFaulter.install();
        try (CompressionDictionary dictionary = dictionary()) {
            final BlockBuffers buffers = new BlockBuffers(arena, 4 * PAGE_BYTES);
            final MemorySegment zeros = arena.allocate(PAGE_BYTES);
            final MemorySegment page = pageFrom(777);
            buffers.pages().copyFrom(page);
            buffers.pages().asSlice(PAGE_BYTES).copyFrom(MemorySegment.ofArray(noise(3, PAGE_BYTES)));
            buffers.pages().asSlice(2 * PAGE_BYTES).copyFrom(zeros);
            buffers.encode(3, PAGE_SHIFT);
            assertEquals(List.of(1, 1, 2), codecs(buffers));
            buffers.dictionary(dictionary);
            buffers.encode(3, PAGE_SHIFT);
            assertEquals(List.of(3, 1, 3), codecs(buffers));
            final MemorySegment back = arena.allocate(PAGE_BYTES);
            final MemorySegment block = buffers.block(0, buffers.blockLength(0));
            final int payloadBytes = block.get(ValueLayout.JAVA_INT, BlockDescriptor.PAYLOAD_LENGTH_OFFSET);
            assertEquals(BlockDescriptor.blockLength(payloadBytes), buffers.blockLength(0));
            final MemorySegment payload = block.asSlice(BlockDescriptor.HEADER_LENGTH, payloadBytes);
            assertEquals(PAGE_BYTES, dictionary.decompress(payload, back));
            assertEquals(-1, page.mismatch(back));
            buffers.dictionary(null);
            buffers.encode(3, PAGE_SHIFT);
            assertEquals(List.of(1, 1, 2), codecs(buffers));
        }
    }

    private static List<Integer> codecs(BlockBuffers buffers) {
        final List<Integer> codecs = new ArrayList<>();
        long at = 0;
        for (int i = 0; i < 3; i++) {
            final int length = buffers.blockLength(i);
            codecs.add((int) buffers.block(at, length).get(ValueLayout.JAVA_BYTE, BlockDescriptor.CODEC_OFFSET));
            at += length;
        }
        return codecs;
    }

    @Test
    void shouldStayThePoolsDictionaryOnceItIs() {
        try (CompressionDictionary dictionary = dictionary();
                CompressionDictionary other = dictionary();
                SpaceAccount account = new SpaceAccount(0, 1 << 20, 1 << 20, 1 << 20, -1);
                NativePool pool = NativePool.open(
                        new NativePool.Options(16 << 20, 0, 0, 0, 0, account.address(), 0, 0, false))) {
            pool.useDictionary(dictionary);
            pool.useDictionary(dictionary);
            final StorageException e = assertThrows(StorageException.class, () -> pool.useDictionary(other));
            assertEquals(ErrorCode.BUSY, e.code());
        }
    }
}
