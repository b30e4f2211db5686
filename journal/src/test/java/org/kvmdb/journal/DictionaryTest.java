package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;

/** How a store comes to its dictionary, and what becomes of it. */
class DictionaryTest {

    private static final int SHIFT = 12;
    private static final int PAGE_BYTES = 1 << SHIFT;
    private static final int SAMPLE_PAGES = 1024;
    private static final JournalOptions OPTIONS = Workload.tinyOptions()
            .withSegmentSizeBytes(1 << 20)
            .withMaxSizeBytes(256L << 20)
            .withDictionarySampleBytes((long) SAMPLE_PAGES << SHIFT);

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment page = arena.allocate(PAGE_BYTES, 64);
    private final MemorySegment found = arena.allocate(PAGE_BYTES, 64);
    private final MemorySegment payload = arena.allocate(PAGE_BYTES - 1, 64);
    private final MemorySegment block = arena.allocate(BlockEncoder.destinationLength(SHIFT), 64);
    private final KeptDevice device = new KeptDevice(new MemoryDevice("dictionary"));
    private Journal journal = Journal.create(device, OPTIONS);
    private final int volume = journal.createVolume("a", 1L << 30, SHIFT).id();

    @AfterEach
    void close() {
        if (!device.isClosed()) {
            journal.kill();
        }
        device.dispose();
        arena.close();
    }

    private void reopen() {
        if (!device.isClosed()) {
            journal.kill();
        }
        device.reopen();
        journal = Journal.open(device, OPTIONS);
    }

    // ---- pages ----

    /** Words that all pages share, in an order that none has. */
    private static void text(MemorySegment page, long lpn) {
        final SplittableRandom random = new SplittableRandom(lpn);
        final StringBuilder words = new StringBuilder(PAGE_BYTES + 32).append(lpn);
        while (words.length() < PAGE_BYTES) {
            words.append(' ').append(new SplittableRandom(random.nextInt(700)).nextLong() >>> 16);
        }
        final byte[] bytes = words.substring(0, PAGE_BYTES).getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, page, 0, PAGE_BYTES);
    }

    /** Nothing that anything shares. */
    private static void noise(MemorySegment page, long lpn) {
        final SplittableRandom random = new SplittableRandom(lpn);
        for (long at = 0; at < PAGE_BYTES; at += Long.BYTES) {
            Fields.putLong(page, at, random.nextLong());
        }
    }

    private interface Content {
        void fill(MemorySegment page, long lpn);
    }

    /** Commits pages, compressed against the dictionary if there is one, and shows them to the sampler. */
    private void write(Content content, long from, int count) {
        final CompressionDictionary dictionary = journal.parts().dictionary().inUse();
        for (long lpn = from; lpn < from + count; lpn += 64) {
            try (Append append = journal.beginAppend()) {
                for (long i = lpn; i < Math.min(lpn + 64, from + count); i++) {
                    content.fill(page, i);
                    append.page(volume, i, encode(dictionary));
                    append.sample(page, 1, SHIFT);
                }
                append.commit();
                append.flush();
                append.apply();
            }
        }
    }

    private MemorySegment encode(CompressionDictionary dictionary) {
        final int length = dictionary == null ? 0 : dictionary.compress(page, payload);
        return length == 0
                ? block.asSlice(0, BlockEncoder.encode(page, SHIFT, block))
                : BlockEncoder.wrap(payload.asSlice(0, length), BlockDescriptor.CODEC_LZ4_DICTIONARY, SHIFT, block);
    }

    private void verify(Content content, long from, int count) {
        for (long lpn = from; lpn < from + count; lpn++) {
            content.fill(page, lpn);
            journal.readPage(volume, lpn, found);
            assertEquals(-1, page.mismatch(found), "page " + lpn);
        }
    }

    private CompressionDictionary inUse() {
        return journal.parts().dictionary().inUse();
    }

    private boolean isOffered() {
        return journal.look(() -> journal.parts().dictionary().isOffered());
    }

    private void adopt() {
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        journal.idleWork().makeDictionary();
        assertTrue(isOffered());
        journal.checkpoint();
        assertNotNull(inUse());
    }

    // ---- tests ----

    @Test
    void shouldMakeADictionaryOfTextAndKeepIt() {
        write(DictionaryTest::text, 0, SAMPLE_PAGES / 2);
        journal.idleWork().makeDictionary();
        assertFalse(isOffered());
        write(DictionaryTest::text, SAMPLE_PAGES / 2, 2 * SAMPLE_PAGES);
        journal.checkpoint();
        write(DictionaryTest::text, 0, 1);
        assertFalse(journal.checkpointIsDue());
        journal.idleWork().makeDictionary();
        assertNull(inUse());
        assertTrue(journal.checkpointIsDue());
        journal.checkpoint();
        assertEquals(CompressionDictionary.LENGTH_MAX, journal.statistics().dictionaryBytes());
        assertFalse(journal.checkpointIsDue());
        final long plainBytes = journal.statistics().liveBytes();
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES + SAMPLE_PAGES / 2);
        journal.checkpoint();
        assertTrue(journal.statistics().liveBytes() < plainBytes * 0.9);
        for (int i = 0; i < 3; i++) {
            verify(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
            SpaceCheck.check(journal);
            if (i == 1) {
                journal.close();
            }
            reopen();
            assertEquals(CompressionDictionary.LENGTH_MAX, journal.statistics().dictionaryBytes());
        }
        journal.close();
        device.reopen();
        final List<Defect> defects = new ArrayList<>();
        JournalInspection.open(device, defects::add).close();
        assertEquals(List.of(), defects);
    }

    @Test
    void shouldMakeNoneWherePagesDoNotBecomeSmallerByIt() {
        write(DictionaryTest::noise, 0, 2 * SAMPLE_PAGES);
        journal.idleWork().makeDictionary();
        assertFalse(isOffered());
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        journal.idleWork().makeDictionary();
        assertFalse(isOffered(), "it is tried again after eight times as many");
        write(DictionaryTest::text, 0, 7 * SAMPLE_PAGES);
        journal.idleWork().makeDictionary();
        assertTrue(isOffered());
    }

    @Test
    void shouldMakeNoneWhenNoneIsWanted() {
        journal.close();
        device.reopen();
        journal = Journal.open(device, OPTIONS.withDictionarySampleBytes(0));
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        journal.idleWork().makeDictionary();
        assertFalse(isOffered());
    }

    /** A store that is opened to write little, or has a dictionary, is not to pay for the room that samples take. */
    @Test
    void shouldTakeNoMemoryBeforeTheFirstPage() {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        new DictionarySampler(SAMPLE_PAGES << SHIFT);
        final long before = threads.getCurrentThreadAllocatedBytes();
        final DictionarySampler sampler = new DictionarySampler(SAMPLE_PAGES << SHIFT);
        final long atFirst = threads.getCurrentThreadAllocatedBytes();
        sampler.offer(page, 1, SHIFT);
        final long withAPage = threads.getCurrentThreadAllocatedBytes();
        assertTrue(atFirst - before < CompressionDictionary.LENGTH_MAX);
        assertTrue(withAPage - atFirst > CompressionDictionary.LENGTH_MAX);
    }

    @Test
    void shouldForgetOneThatNoCheckpointWrote() {
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        journal.idleWork().makeDictionary();
        assertTrue(isOffered());
        reopen();
        assertNull(inUse());
        assertFalse(isOffered());
        verify(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        adopt();
    }

    @Test
    void shouldTellItsUserWhenItIsDurable() {
        final List<CompressionDictionary> told = new ArrayList<>();
        journal.dictionaryUser(told::add);
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        journal.idleWork().makeDictionary();
        assertEquals(List.of(), told);
        journal.checkpoint();
        journal.checkpoint();
        assertEquals(List.of(inUse()), told);
        reopen();
        told.clear();
        journal.dictionaryUser(told::add);
        assertEquals(List.of(inUse()), told);
    }

    @Test
    void shouldKeepTheFirst() {
        adopt();
        final byte[] content = inUse().content().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        noise(page, 1);
        final CompressionDictionary other = CompressionDictionary.of(page);
        journal.look(() -> {
            journal.parts().dictionary().offer(other);
            return null;
        });
        write(DictionaryTest::text, 0, 10);
        journal.checkpoint();
        reopen();
        assertEquals(-1, inUse().content().mismatch(MemorySegment.ofArray(content)));
        verify(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
    }

    @Test
    void shouldSendToAStoreWithoutIt() {
        adopt();
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        final SnapshotEntry snapshot =
                journal.versions().createSnapshots(List.of(volume), "s").getFirst();
        final byte[] stream = TestStreams.send(journal, snapshot, null);
        final KeptDevice otherDevice = new KeptDevice(new MemoryDevice("receiver"));
        final Journal other = Journal.create(otherDevice, OPTIONS);
        TestStreams.receive(other, stream, "b", false);
        assertNull(other.parts().dictionary().inUse());
        assertEquals(
                TestStreams.describe(journal, snapshot),
                TestStreams.describe(other, other.versions().snapshot("b", "s")));
        other.kill();
        otherDevice.dispose();
    }

    @Test
    void shouldMoveBlocksThatNeedIt() {
        adopt();
        write(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
        for (int lpn = 0; lpn < 2 * SAMPLE_PAGES; lpn += 3) {
            write(DictionaryTest::text, lpn, 1);
        }
        journal.checkpoint();
        final SegmentMover mover = journal.mover();
        final int[] segments = mover.census().segments();
        assertTrue(segments.length > 0);
        for (int segment : segments) {
            mover.collect(segment, new int[SegmentCensus.CLASSES]);
        }
        mover.publish();
        assertTrue(mover.statistics().blocks() > 0);
        assertEquals(0, mover.statistics().badBlocks());
        reopen();
        verify(DictionaryTest::text, 0, 2 * SAMPLE_PAGES);
    }

    @Test
    void shouldSayWhatIsWrongWithABlockThatNeedsWhatTheStoreDoesNotHave() {
        text(page, 5);
        try (CompressionDictionary strange = CompressionDictionary.of(page)) {
            text(page, 7);
            try (Append append = journal.beginAppend()) {
                append.page(volume, 7, encode(strange));
                append.commit();
                append.flush();
                append.apply();
            }
        }
        final StorageException wrong =
                assertThrows(StorageException.class, () -> journal.readPage(volume, 7, found));
        assertEquals(ErrorCode.CORRUPT_PAGE, wrong.code());
        assertTrue(wrong.getMessage().contains("dictionary"), wrong.getMessage());
    }
}
