package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A store of text makes itself a dictionary, and everything goes on with it. */
@Timeout(120)
class DictionaryCompressionTest {

    private static final int PAGES = 24 * TestStores.MIB / TestStores.PAGE; // three times the cache
    private static final int PIECE_PAGES = TestStores.MIB / TestStores.PAGE;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment piece = arena.allocate(TestStores.MIB);
    private final byte[][] words = new byte[700][];

    @TempDir
    Path directory;

    private Store store;
    private Volume volume;

    DictionaryCompressionTest() {
        for (int i = 0; i < words.length; i++) {
            words[i] = Long.toString(new SplittableRandom(i).nextLong() >>> 16).getBytes(StandardCharsets.US_ASCII);
        }
    }

    @AfterEach
    void close() {
        if (store != null) {
            store.close();
        }
        arena.close();
    }

    /** Room for a compressed tier. */
    private static StoreOptions options() {
        return TestStores.small().withCacheSizeBytes(8 * TestStores.MIB);
    }

    private void create(StoreOptions options) {
        store = Store.create(directory.resolve("s"), options);
        volume = store.createVolume("v", VolumeOptions.ofSizeBytes((long) PAGES * TestStores.PAGE));
    }

    private void reopen(StoreOptions options) {
        store.close();
        store = Store.open(directory.resolve("s"), options);
        volume = store.volume("v");
    }

    /** Words that all pages share, in an order that none has. */
    private byte[] text(long lpn, long version) {
        final byte[] page = new byte[TestStores.PAGE];
        final SplittableRandom random = new SplittableRandom(lpn * 31 + version);
        for (int at = 0; at < page.length; ) {
            final byte[] word = words[random.nextInt(words.length)];
            final int length = Math.min(word.length, page.length - at);
            System.arraycopy(word, 0, page, at, length);
            at += length;
        }
        return page;
    }

    private void writeAll(long version) {
        for (long lpn = 0; lpn < PAGES; lpn += PIECE_PAGES) {
            for (int i = 0; i < PIECE_PAGES; i++) {
                MemorySegment.copy(
                        MemorySegment.ofArray(text(lpn + i, version)), 0, piece, (long) i * TestStores.PAGE, TestStores.PAGE);
            }
            volume.write(lpn * TestStores.PAGE, piece);
            volume.commit();
        }
    }

    /** Each about twice, in no order: the second time many come from the compressed tier. */
    private void checkAll(MemorySegment memory, long version) {
        final SplittableRandom random = new SplittableRandom(version);
        for (int i = 0; i < 2 * PAGES; i++) {
            final long lpn = random.nextInt(PAGES);
            final MemorySegment page = TestStores.page(memory, lpn, TestStores.PAGE);
            assertEquals(-1, page.mismatch(MemorySegment.ofArray(text(lpn, version))), "page " + lpn);
        }
    }

    private boolean hasDictionary() {
        return store.statistics().log().dictionaryBytes() > 0;
    }

    private long liveBytes() {
        store.checkpoint();
        return store.statistics().log().liveBytes();
    }

    @Test
    void shouldMakeOneOfTextAndReadWhatIsCompressedWithItAndWithout() throws InterruptedException {
        for (boolean directReads : new boolean[] {false, true}) {
            final StoreOptions options = options().withDirectReads(directReads);
            if (directReads) {
                reopen(options);
                assertTrue(hasDictionary());
            } else {
                create(options);
                writeAll(1);
                TestStores.await("a dictionary", this::hasDictionary);
                checkAll(volume.memory(), 1);
                final long plainBytes = liveBytes();
                writeAll(2);
                final long smallerBytes = liveBytes();
                assertTrue(smallerBytes < plainBytes * 0.95, smallerBytes + " of " + plainBytes);
            }
            checkAll(volume.memory(), 2);
            assertTrue(store.statistics().cache().tierHits() > 0);
            assertEquals(0, store.statistics().cache().badPages());
        }
    }

    @Test
    void shouldGoOnAfterAKillAndInClonesAndStreams() throws Exception {
        create(options());
        writeAll(1);
        TestStores.await("a dictionary", this::hasDictionary);
        writeAll(2);
        final Snapshot snapshot = volume.snapshot("s");
        volume.memory().set(java.lang.foreign.ValueLayout.JAVA_BYTE, 5, (byte) 1);
        volume.commit();
        final Volume clone = snapshot.cloneAs("c");
        checkAll(clone.memory(), 2);
        final ScrubReport report = store.scrub(ScrubOptions.defaults(), ScrubProgress.NONE);
        assertEquals(0, report.badBlocks().size());
        final Path killed = TestStores.killedCopy(directory.resolve("s"), directory.resolve("killed"));
        try (Store other = Store.open(killed, options())) {
            assertTrue(other.statistics().log().dictionaryBytes() > 0);
            checkAll(other.volume("c").memory(), 2);
        }
    }

    @Test
    void shouldMakeNoneWhenNoneIsWanted() throws InterruptedException {
        create(options().withDictionary(false));
        writeAll(1);
        store.checkpoint();
        Thread.sleep(200); // the maintenance would have been there four times
        assertEquals(0, store.statistics().log().dictionaryBytes());
        checkAll(volume.memory(), 1);
    }
}
