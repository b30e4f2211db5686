package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.fuzz.Edit;

/**
 * Lies in a store's file, one by one, checksums made right: each is refused by the exception that says so, and the file stays as it
 * was. Numbers in names are those of the list of bad inputs.
 */
class BadInputTest {

    private static final ForgedStore STORE = ForgedStore.of(FuzzImages.killed());
    private static final int ENTRIES = BlockDescriptor.HEADER_LENGTH;

    private final List<Edit> edits = new ArrayList<>();

    // ---- how to lie ----

    private void set(String place, long at, int width, long value) {
        edits.add(Edit.number(Edit.Op.SET, place, (int) at, width, value));
    }

    private void setInAllSlots(int at, int width, long value) {
        for (int slot = 0; slot < SuperblockDescriptor.SLOT_COUNT; slot++) {
            set(ForgedStore.SUPERBLOCK + slot, at, width, value);
        }
    }

    private static Journal open(Device device, boolean readOnly) {
        return Journal.open(
                device, FuzzImages.OPTIONS.withReadOnly(readOnly).withRandom(new SplittableRandom(1)));
    }

    /** Refused for reading and for writing alike, nothing written; returns what was said. */
    private String assertRefused(ErrorCode code) {
        final HeapDevice device = STORE.forge(edits);
        final byte[] before = device.get(0, (int) device.sizeBytes());
        final StorageException refusal = assertThrows(StorageException.class, () -> open(device, true));
        assertEquals(code, refusal.code(), refusal.getMessage());
        device.reopen();
        assertEquals(code, assertThrows(StorageException.class, () -> open(device, false)).code());
        assertArrayEquals(before, device.get(0, before.length));
        return refusal.getMessage();
    }

    private <T> T withStore(Function<Journal, T> use) {
        try (Journal journal = open(STORE.forge(edits), true)) {
            return use.apply(journal);
        }
    }

    private static ForgedStore.Placed node(int level) {
        return STORE.nodes().stream().filter(node -> node.level() == level).findFirst().orElseThrow();
    }

    private static long entry(ForgedStore.Placed node, int index) {
        return Fields.longAt(STORE.part(node.name()), ENTRIES + (long) index * MapNodeDescriptor.ENTRY_LENGTH);
    }

    private void setEntry(ForgedStore.Placed node, int index, long ppn) {
        set(node.name(), ENTRIES + (long) index * MapNodeDescriptor.ENTRY_LENGTH, Long.BYTES, ppn);
    }

    private static Superblock newest() {
        return STORE.superblock();
    }

    private static int newestSlot() {
        return (int) (newest().generation() % 2);
    }

    @Test
    void shouldTakeWhatIsNoLie() {
        assertEquals("read", withStore(journal -> StoreFuzzTarget.readAll(journal, true)));
    }

    // ---- 1: superblock ----

    @Test
    void shouldRefuse1WhenTheMagicIsWrong() {
        setInAllSlots(SuperblockDescriptor.MAGIC_OFFSET, 8, 0x4242);
        assertRefused(ErrorCode.WRONG_MAGIC);
    }

    @Test
    void shouldRefuse1WhenNoChecksumIsRight() {
        setInAllSlots(SuperblockDescriptor.CRC_OFFSET, 4, 1);
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    @Test
    void shouldOpen1WhenOneCopyIsBad() {
        set(ForgedStore.SUPERBLOCK + newestSlot(), SuperblockDescriptor.CRC_OFFSET, 4, 1);
        assertEquals("read", withStore(journal -> StoreFuzzTarget.readAll(journal, true)));
    }

    @Test
    void shouldRefuse1WhenSlotsAreSwapped() {
        edits.add(new Edit(Edit.Op.SWAP, "superblock/0", 0, 0, 0, "superblock/1", 0));
        edits.add(new Edit(Edit.Op.SWAP, "superblock/2", 0, 0, 0, "superblock/3", 0));
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    @Test
    void shouldRefuse1WhenTwoCopiesOfAGenerationDiffer() {
        set(ForgedStore.SUPERBLOCK + newestSlot(), SuperblockDescriptor.EPOCH_OFFSET, 8, newest().epoch() + 1);
        assertTrue(assertRefused(ErrorCode.CORRUPT_STORE).contains("differ"));
    }

    @Test
    void shouldRefuse1WhenAGenerationIsNone() {
        for (long generation : new long[] {0, Long.MAX_VALUE, -1L, 1L << 49}) {
            edits.clear();
            setInAllSlots(SuperblockDescriptor.GENERATION_OFFSET, 8, generation);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
    }

    @Test
    void shouldRefuse1WhenASlotIsNewerThanTheLog() {
        // The log was begun anew since: what the copies of a later generation name is not there.
        for (int slot = newestSlot(); slot < SuperblockDescriptor.SLOT_COUNT; slot += 2) {
            set(ForgedStore.SUPERBLOCK + slot, SuperblockDescriptor.GENERATION_OFFSET, 8, newest().generation() + 2);
            set(ForgedStore.SUPERBLOCK + slot, SuperblockDescriptor.CHECKPOINT_SEQUENCE_OFFSET, 8, 1 << 20);
        }
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    // ---- 2: versions ----

    @Test
    void shouldRefuse2WhenTheFormatIsNewerOrOlder() {
        setInAllSlots(SuperblockDescriptor.FORMAT_VERSION_OFFSET, 4, 2);
        assertRefused(ErrorCode.TOO_NEW);
        edits.clear();
        setInAllSlots(SuperblockDescriptor.FORMAT_VERSION_OFFSET, 4, 0);
        assertRefused(ErrorCode.TOO_OLD);
    }

    @Test
    void shouldName2TheBitsOfAnUnknownFeature() {
        setInAllSlots(SuperblockDescriptor.INCOMPATIBLE_FEATURES_OFFSET, 8, 1L << 41);
        assertTrue(assertRefused(ErrorCode.TOO_NEW).contains("incompatible=0x20000000000"));
    }

    @Test
    void shouldOnlyRead2WhenAFeatureForbidsWriting() {
        setInAllSlots(SuperblockDescriptor.READ_ONLY_FEATURES_OFFSET, 8, 1L << 3);
        assertEquals("read", withStore(journal -> StoreFuzzTarget.readAll(journal, true)));
        final HeapDevice device = STORE.forge(edits);
        assertEquals(
                ErrorCode.TOO_NEW, assertThrows(StorageException.class, () -> open(device, false)).code());
    }

    @Test
    void shouldRefuse2WhenBytesAreInTheOtherOrder() {
        setInAllSlots(SuperblockDescriptor.MAGIC_OFFSET, 8, Long.reverseBytes(SuperblockDescriptor.MAGIC));
        assertRefused(ErrorCode.WRONG_MAGIC);
        edits.clear();
        setInAllSlots(
                SuperblockDescriptor.SEGMENT_SIZE_OFFSET, 4, Integer.reverseBytes(newest().segmentSizeBytes()));
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    @Test
    void shouldRefuse2WhenCopiesAreOfTwoStores() {
        for (int slot = 1 - newestSlot(); slot < SuperblockDescriptor.SLOT_COUNT; slot += 2) {
            set(ForgedStore.SUPERBLOCK + slot, SuperblockDescriptor.STORE_UUID_OFFSET, 8, 99);
        }
        assertTrue(assertRefused(ErrorCode.CORRUPT_STORE).contains("two stores"));
    }

    // ---- 3: sizes ----

    @Test
    void shouldRefuse3WhenASizeIsImpossible() {
        for (int size : new int[] {0, 1, 3 << 16, 1 << 31, 1 << 25, 4096}) {
            edits.clear();
            setInAllSlots(SuperblockDescriptor.SEGMENT_SIZE_OFFSET, 4, size);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
    }

    @Test
    void shouldRefuse3WhenThereAreSaidToBeMoreSegments() {
        for (int count : new int[] {0, -1, newest().segmentCount() + 3, 1 << 20, (1 << 28) - 1, 1 << 28, Integer.MAX_VALUE}) {
            edits.clear();
            setInAllSlots(SuperblockDescriptor.SEGMENT_COUNT_OFFSET, 4, count);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
    }

    @Test
    void shouldRefuse3WhenTableAndSuperblockAgreeOnALie() {
        setInAllSlots(SuperblockDescriptor.SEGMENT_COUNT_OFFSET, 4, (1 << 28) - 1);
        set(ForgedStore.CATALOG, CatalogDescriptor.SEGMENT_COUNT_OFFSET, 4, (1 << 28) - 1);
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    @Test
    void shouldRefuse3WhenMetadataAreSaidToBeLong() {
        set(ForgedStore.ROOT, MetadataRootDescriptor.STREAM_LENGTH_OFFSET, 8, Long.MAX_VALUE);
        assertRefused(ErrorCode.CORRUPT_STORE);
        edits.clear();
        final int most = MetadataRootDescriptor.entriesMax(MetadataRootDescriptor.pageShift(newest().segmentSizeBytes()));
        set(ForgedStore.ROOT, MetadataRootDescriptor.BLOCK_COUNT_OFFSET, 4, most);
        set(ForgedStore.ROOT, MetadataRootDescriptor.STREAM_LENGTH_OFFSET, 8,
                (long) most << MetadataRootDescriptor.pageShift(newest().segmentSizeBytes()));
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    @Test
    void shouldRefuse3WhenTheDictionaryIsSaidToBeWhatItIsNot() {
        final long rest = STORE.part(ForgedStore.CATALOG).byteSize() - CatalogDescriptor.HEADER_LENGTH;
        for (long length : new long[] {
            1, CatalogDescriptor.REMAP_LENGTH, rest, rest + 1, CompressionDictionary.LENGTH_MAX,
            CompressionDictionary.LENGTH_MAX + 1, Integer.MAX_VALUE, Integer.MIN_VALUE, -1
        }) {
            edits.clear();
            set(ForgedStore.CATALOG, CatalogDescriptor.DICTIONARY_LENGTH_OFFSET, 4, length);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
        edits.clear();
        set(ForgedStore.CATALOG, CatalogDescriptor.RESERVED_OFFSET, 4, 1);
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    @Test
    void shouldRefuse3WhenAVolumeIsLargerThanAMapCanHold() {
        final long at = CatalogDescriptor.HEADER_LENGTH;
        for (long size : new long[] {-1, Long.MAX_VALUE, (1L << 48) + 1, Long.MIN_VALUE}) {
            edits.clear();
            set(ForgedStore.CATALOG, at + CatalogDescriptor.ENTRY_SIZE_OFFSET, 8, size);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
        for (int shift : new int[] {0, 11, 17, 31, 255}) {
            edits.clear();
            set(ForgedStore.CATALOG, at + CatalogDescriptor.ENTRY_PAGE_SHIFT_OFFSET, 1, shift);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
    }

    @Test
    void shouldTake3AVolumeThatIsAsLargeAsAMapCanHold() {
        set(ForgedStore.CATALOG, CatalogDescriptor.HEADER_LENGTH + CatalogDescriptor.ENTRY_SIZE_OFFSET, 8, 1L << 48);
        assertEquals("read", withStore(journal -> StoreFuzzTarget.readAll(journal, true)));
    }

    @Test
    void shouldRefuse3AnEmptyFileAndAByte() {
        for (int length : new int[] {0, 1, 511, 4095}) {
            final HeapDevice device = STORE.forge(List.of());
            device.resize(length);
            assertEquals(
                    ErrorCode.WRONG_MAGIC,
                    assertThrows(StorageException.class, () -> open(device, false)).code());
            assertEquals(length, device.sizeBytes());
        }
    }

    @Test
    void shouldRefuse3HolesWhereMetadataAre() {
        final HeapDevice device = STORE.forge(List.of());
        final int size = newest().segmentSizeBytes();
        final long from = SegmentTable.position(newest().segmentCount(), size);
        device.put(from, new byte[size]);
        assertEquals(
                ErrorCode.CORRUPT_STORE, assertThrows(StorageException.class, () -> open(device, false)).code());
    }

    @Test
    void shouldOpen3WhenSomethingFollowsTheEnd() {
        final HeapDevice device = STORE.forge(List.of());
        final byte[] garbage = new byte[10_000];
        new SplittableRandom(3).nextBytes(garbage);
        device.put(device.sizeBytes(), garbage);
        try (Journal journal = open(device, false)) {
            assertEquals("read", StoreFuzzTarget.readAll(journal, true));
        }
    }

    // ---- 5: map nodes ----

    @Test
    void shouldRefuse5ANodeThatNamesItself() {
        final ForgedStore.Placed inner = node(1);
        setEntry(inner, 5, inner.ppn());
        assertNotLoaded();
    }

    @Test
    void shouldRefuse5ACycleThroughTheRoot() {
        final ForgedStore.Placed inner = node(1);
        setEntry(inner, 0, node(PageMap.TOP).ppn());
        assertNotLoaded();
    }

    /** The version whose map that is need not be a head: then it is found when it is looked at. */
    private void assertNotLoaded() {
        final HeapDevice device = STORE.forge(edits);
        try (Journal journal = open(device, true)) {
            final List<String> refused = new ArrayList<>();
            for (Version version : journal.versions().all()) {
                try {
                    journal.versions().diff(null, version, 0, Integer.MAX_VALUE, (lpn, ppn) -> {});
                } catch (StorageException e) {
                    assertEquals(ErrorCode.CORRUPT_STORE, e.code(), e.getMessage());
                    refused.add(version.name());
                }
            }
            assertTrue(!refused.isEmpty(), "nobody noticed");
        } catch (StorageException e) {
            assertEquals(ErrorCode.CORRUPT_STORE, e.code(), e.getMessage());
        }
    }

    @Test
    void shouldRefuse5ANodeOfAnotherLevel() {
        final ForgedStore.Placed inner = node(2);
        setEntry(inner, 0, node(0).ppn());
        assertNotLoaded();
    }

    @Test
    void shouldRefuse5ANodeOfAnotherPlaceOrVolume() {
        final ForgedStore.Placed leaf = node(0);
        final ForgedStore.Placed other = STORE.nodes().stream()
                .filter(node -> node.level() == 0 && node.family() != leaf.family())
                .findFirst()
                .orElseThrow();
        edits.add(new Edit(Edit.Op.SWAP, leaf.name(), 0, 0, 0, other.name(), 0));
        // Both are sealed for their new places, so the lie is believed; but their pages are of others, and say so.
        assertTrue(readSaysBad());
        edits.clear();
        setEntry(node(1), 0, other.ppn());
        assertNotLoaded();
    }

    @Test
    void shouldRefuse5AnEntryOutOfRange() {
        final ForgedStore.Placed leaf = node(0);
        for (long ppn : new long[] {
            1, -1, Long.MIN_VALUE, Ppn.pack(newest().segmentCount() + 2, 4096, 64), Ppn.pack(0, 0, 64),
            Ppn.pack(0, newest().segmentSizeBytes() - 64, 128), Ppn.pack((1 << 28) - 1, 4096, 64)
        }) {
            edits.clear();
            setEntry(leaf, 3, ppn);
            assertNotLoaded();
        }
    }

    @Test
    void shouldRefuse5AnEntryInAFreeSegment() {
        final MemorySegment stream = STORE.part(ForgedStore.CATALOG);
        int free = -1;
        for (int i = 0; i < newest().segmentCount(); i++) {
            final long at = STORE.segmentsAt() + (long) i * CatalogDescriptor.SEGMENT_LENGTH;
            if (Fields.byteAt(stream, at + CatalogDescriptor.SEGMENT_STATE_OFFSET) == SegmentState.FREE.ordinal()) {
                free = i;
            }
        }
        assertTrue(free >= 0, "the seed has a free segment");
        setEntry(node(0), 3, Ppn.pack(free, 4096, 128));
        assertNotLoaded();
    }

    @Test
    void shouldNotice5WhenTwoPagesNameOneBlock() {
        int noticed = 0;
        for (ForgedStore.Placed leaf : STORE.nodes()) {
            if (leaf.level() == 0) {
                int first = 0;
                while (entry(leaf, first) == 0) {
                    first++;
                }
                edits.clear();
                setEntry(leaf, first + 1, entry(leaf, first));
                noticed += readSaysBad() ? 1 : 0;
            }
        }
        assertTrue(noticed > 0, "a leaf that somebody reads");
    }

    /** Opens and reads all: whether anything was noticed. A wrong page is never returned. */
    private boolean readSaysBad() {
        try (Journal journal = open(STORE.forge(edits), true)) {
            return StoreFuzzTarget.readAll(journal, true).contains("bad");
        } catch (StorageException e) {
            assertEquals(ErrorCode.CORRUPT_STORE, e.code(), e.getMessage());
            return true;
        }
    }

    @Test
    void shouldRefuse5ABirthThatCannotBe() {
        set(node(0).name(), BlockDescriptor.BIRTH_EPOCH_OFFSET, 4, 0);
        assertNotLoaded();
        edits.clear();
        set(node(0).name(), BlockDescriptor.BIRTH_EPOCH_OFFSET, 4, -1);
        assertNotLoaded();
    }

    // ---- 6: segments, versions ----

    private static long segmentAt(int segment) {
        return STORE.segmentsAt() + (long) segment * CatalogDescriptor.SEGMENT_LENGTH;
    }

    @Test
    void shouldRefuse6ASegmentThatIsNotWhatItCanBe() {
        final long at = segmentAt(2);
        final long[][] lies = {
            {CatalogDescriptor.SEGMENT_DEVICE_OFFSET_OFFSET, 8, 0},
            {CatalogDescriptor.SEGMENT_DEVICE_INDEX_OFFSET, 2, 1},
            {CatalogDescriptor.SEGMENT_COPIES_OFFSET, 1, 2},
            {CatalogDescriptor.SEGMENT_STATE_OFFSET, 1, 4},
            {CatalogDescriptor.SEGMENT_LIVE_OFFSET, 4, -1},
            {CatalogDescriptor.SEGMENT_LIVE_OFFSET, 4, newest().segmentSizeBytes() + 1},
            {CatalogDescriptor.SEGMENT_WRITTEN_OFFSET, 4, 3},
            {CatalogDescriptor.SEGMENT_WRITE_TIME_OFFSET, 8, Long.MAX_VALUE},
        };
        for (long[] lie : lies) {
            edits.clear();
            set(ForgedStore.CATALOG, at + lie[0], (int) lie[1], lie[2]);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
    }

    @Test
    void shouldNotice6AWrongGenerationOrSalt() {
        int noticed = 0;
        for (int segment = 0; segment < newest().segmentCount(); segment++) {
            edits.clear();
            set(ForgedStore.CATALOG, segmentAt(segment) + CatalogDescriptor.SEGMENT_GENERATION_OFFSET, 4, 1 << 20);
            noticed += readSaysBad() ? 1 : 0;
            edits.clear();
            set(ForgedStore.CATALOG, segmentAt(segment) + CatalogDescriptor.SEGMENT_SALT_OFFSET, 8, 1);
            noticed += readSaysBad() ? 1 : 0;
        }
        assertTrue(noticed > 4, noticed + " noticed");
    }

    /** The live bytes of a segment are said to be too few: what dies then is more than there was. */
    @Test
    void shouldRefuse6WhenMoreDiesThanLives() {
        for (int i = 0; i < newest().segmentCount(); i++) {
            set(ForgedStore.CATALOG, segmentAt(i) + CatalogDescriptor.SEGMENT_LIVE_OFFSET, 4, 0);
        }
        final HeapDevice device = STORE.forge(edits);
        final StorageException refusal = assertThrows(StorageException.class, () -> open(device, false).close());
        assertEquals(ErrorCode.CORRUPT_STORE, refusal.code(), refusal.getMessage());
    }

    private static List<MetadataCodec.VersionImage> versions() {
        final List<MetadataCodec.VersionImage> versions = new ArrayList<>();
        MetadataCodec.decodeVersions(STORE.part(ForgedStore.CATALOG), versions);
        return versions;
    }

    private static long versionAt(int id) {
        long at = CatalogDescriptor.HEADER_LENGTH;
        for (MetadataCodec.VersionImage version : versions()) {
            if (version.id() == id) {
                return at;
            }
            at += MetadataCodec.VersionImage.length(version.name());
        }
        throw new AssertionError("no version " + id);
    }

    @Test
    void shouldRefuse6ACircleOfVersions() {
        final MetadataCodec.VersionImage snapshot = versions().stream()
                .filter(version -> version.kind() == CatalogDescriptor.KIND_SNAPSHOT)
                .findFirst()
                .orElseThrow();
        for (int parent : new int[] {snapshot.id(), versions().getLast().id(), 12345, -1}) {
            edits.clear();
            set(ForgedStore.CATALOG, versionAt(snapshot.id()) + CatalogDescriptor.ENTRY_PARENT_OFFSET, 4, parent);
            assertRefused(ErrorCode.CORRUPT_STORE);
        }
    }

    @Test
    void shouldRefuse6ACloneOfWhatIsGone() {
        final MetadataCodec.VersionImage clone = versions().stream()
                .filter(version -> version.kind() == CatalogDescriptor.KIND_VOLUME && version.parent() != 0)
                .findFirst()
                .orElseThrow();
        set(ForgedStore.CATALOG, versionAt(clone.id()) + CatalogDescriptor.ENTRY_PARENT_OFFSET, 4, 4711);
        assertRefused(ErrorCode.CORRUPT_STORE);
    }

    // ---- 7: blocks ----

    private ForgedStore.Placed blockThatIsRead() {
        edits.clear();
        return withStore(journal -> STORE.blocks().stream()
                .filter(one -> journal.versions().all().stream().anyMatch(version -> isRead(journal, version, one)))
                .findFirst()
                .orElseThrow());
    }

    /** Whether a version has a page in that block, and the log did not move it since the checkpoint. */
    private static boolean isRead(Journal journal, Version version, ForgedStore.Placed block) {
        return version.familyId() == block.family()
                && !version.isDeleted()
                && journal.versions().lookup(version, block.lpn()) == block.ppn()
                && journal.parts().segments().resolve(block.ppn()) == block.place();
    }

    /** Reads a page whose block has a header that lies, sealed as it must be. */
    private void assertBlockRefused(int at, int width, long value) {
        final ForgedStore.Placed block = blockThatIsRead();
        edits.clear();
        set(block.name(), at, width, value);
        try (Journal journal = open(STORE.forge(edits), true); Arena arena = Arena.ofConfined()) {
            final MemorySegment page = arena.allocate(1 << 16, 64);
            int refused = 0;
            for (Version version : journal.versions().all()) {
                if (isRead(journal, version, block)) {
                    final StorageException refusal = assertThrows(
                            StorageException.class, () -> journal.versions().readPage(version, block.lpn(), page));
                    assertEquals(ErrorCode.CORRUPT_PAGE, refusal.code());
                    refused++;
                }
            }
            assertTrue(refused > 0, "somebody reads that block");
        } catch (StorageException e) {
            assertEquals(ErrorCode.CORRUPT_STORE, e.code(), e.getMessage());
        }
    }

    @Test
    void shouldRefuse7ABlockWithAHeaderThatLies() {
        for (long length : new long[] {0, 1, 4097, 65536, -1, Integer.MAX_VALUE}) {
            assertBlockRefused(BlockDescriptor.PAYLOAD_LENGTH_OFFSET, 4, length);
        }
        final int codecOfBlock = Fields.byteAt(STORE.part(blockThatIsRead().name()), BlockDescriptor.CODEC_OFFSET);
        for (int codec : new int[] {0, BlockDescriptor.CODEC_RAW, BlockDescriptor.CODEC_LZ4, 3, 255}) {
            if (codec != codecOfBlock) {
                assertBlockRefused(BlockDescriptor.CODEC_OFFSET, 1, codec);
            }
        }
        assertBlockRefused(BlockDescriptor.TYPE_OFFSET, 1, BlockDescriptor.TYPE_MAP_NODE);
        assertBlockRefused(BlockDescriptor.PAGE_SHIFT_OFFSET, 1, 16);
        assertBlockRefused(BlockDescriptor.VERSION_OFFSET, 1, 0);
    }

    private static String decode(byte[] payload, int codec) {
        final BlockSeal seal = new BlockSeal();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment block = arena.allocate(BlockDescriptor.blockLength(payload.length), 64);
            final MemorySegment page = arena.allocate(2 << 12, 64);
            MemorySegment.copy(payload, 0, block, java.lang.foreign.ValueLayout.JAVA_BYTE, 16, payload.length);
            Fields.putInt(block, BlockDescriptor.PAYLOAD_LENGTH_OFFSET, payload.length);
            Fields.putByte(block, BlockDescriptor.CODEC_OFFSET, codec);
            Fields.putByte(block, BlockDescriptor.TYPE_OFFSET, BlockDescriptor.TYPE_PAGE);
            Fields.putByte(block, BlockDescriptor.PAGE_SHIFT_OFFSET, 12);
            Fields.putByte(block, BlockDescriptor.VERSION_OFFSET, BlockDescriptor.VERSION);
            final int crc = seal.crc(block, 0, 0, 0, 0, 0);
            Fields.putInt(block, BlockDescriptor.CRC_OFFSET, crc);
            final String wrong = seal.decode(block, BlockDescriptor.TYPE_PAGE, crc, page.asSlice(0, 1 << 12), 12);
            assertTrue(Fields.isZero(page, 1 << 12, 1 << 12), "nothing is written behind the page");
            return wrong;
        }
    }

    @Test
    void shouldRefuse7ABombAndAMatchOfOffsetZero() {
        // A literal, then a match of offset 1 that is as long as its bytes say: many times a page.
        final byte[] bomb = new byte[400];
        java.util.Arrays.fill(bomb, (byte) 255);
        bomb[0] = 0x1F;
        bomb[1] = 'x';
        bomb[2] = 1;
        bomb[3] = 0;
        assertTrue(decode(bomb, BlockDescriptor.CODEC_LZ4) != null);
        final byte[] zero = {0x1F, 'x', 0, 0, (byte) 255, (byte) 255, 0};
        assertTrue(decode(zero, BlockDescriptor.CODEC_LZ4) != null);
        assertTrue(decode(new byte[4095], BlockDescriptor.CODEC_RAW) != null);
        assertTrue(decode(new byte[4096], 0) != null);
        assertEquals(null, decode(new byte[4096], BlockDescriptor.CODEC_RAW));
    }
}
