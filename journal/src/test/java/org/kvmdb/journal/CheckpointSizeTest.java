package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;

/** What is kept free for checkpoints: that it is enough, and that a store without more can make room. */
class CheckpointSizeTest {

    private static final int NAME_LENGTH = 200;
    private static final int PAGES = 2000;
    private static final int PAGE_BYTES = 1 << 12;

    private final SplittableRandom random = new SplittableRandom(1);
    private final SuperblockRefuser device = new SuperblockRefuser(new MemoryDevice("size"));
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment page = arena.allocate(PAGE_BYTES, 64);
    private final MemorySegment encoded = arena.allocate(BlockEncoder.destinationLength(12), 64);
    /** What the pages of the volume were filled from; 0: never written. */
    private final long[] seeds = new long[PAGES];

    private final List<Integer> snapshots = new ArrayList<>();
    private JournalOptions options;
    private Journal journal;

    /** A device that ends each checkpoint when all of it is written but the superblock, if it is told to. */
    private static final class SuperblockRefuser extends KeptDevice {

        private boolean isRefusing;

        SuperblockRefuser(Device inner) {
            super(inner);
        }

        @Override
        public void write(long position, MemorySegment buffer) {
            if (isRefusing && position < SuperblockDescriptor.SEGMENTS_OFFSET) {
                throw new StorageException(ErrorCode.IO, "no superblock is written");
            }
            super.write(position, buffer);
        }
    }

    @AfterEach
    void close() {
        journal.kill();
        device.dispose();
        arena.close();
    }

    private void create(JournalOptions journalOptions) {
        options = journalOptions.withRandom(random.split());
        journal = Journal.create(device, options);
        journal.createVolume("a", (long) PAGES * PAGE_BYTES, 12);
        put(0);
    }

    private void killAndOpen() {
        journal.kill();
        device.reopen();
        journal = Journal.open(device, options);
        compare();
    }

    private int volume() {
        return journal.volume("a").id();
    }

    private void fillPage(long seed) {
        final byte[] bytes = new byte[PAGE_BYTES];
        if (seed != 0) {
            new SplittableRandom(seed).nextBytes(bytes);
        }
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, page, 0, PAGE_BYTES);
    }

    /** Commits pages, reserving as a fault does. */
    private void put(long... lpns) {
        final long leaves = Arrays.stream(lpns).map(lpn -> lpn >>> 9).distinct().count();
        final long reserved =
                lpns.length * (BlockEncoder.blockLengthMax(12) + 256L) + leaves * 4 * Journal.NODE_RESERVE_BYTES;
        if (!journal.space().tryReserve(reserved)) {
            throw new StorageException(ErrorCode.STORE_FULL, "no room for %d pages".formatted(lpns.length));
        }
        final long[] now = random.longs(lpns.length).map(seed -> seed | 1).toArray();
        try (Append append = journal.beginAppend()) {
            for (int i = 0; i < lpns.length; i++) {
                fillPage(now[i]);
                append.page(volume(), lpns[i], encoded.asSlice(0, BlockEncoder.encode(page, 12, encoded)));
            }
            append.commit();
            append.flush();
            append.apply();
        } finally {
            journal.space().release(reserved);
        }
        for (int i = 0; i < lpns.length; i++) {
            seeds[(int) lpns[i]] = now[i];
        }
    }

    private void compare() {
        final byte[] expected = new byte[PAGE_BYTES];
        for (int lpn = 0; lpn < PAGES; lpn++) {
            journal.readPage(volume(), lpn, page);
            Arrays.fill(expected, (byte) 0);
            if (seeds[lpn] != 0) {
                new SplittableRandom(seeds[lpn]).nextBytes(expected);
            }
            assertEquals(-1, page.mismatch(MemorySegment.ofArray(expected)), "page " + lpn);
        }
        SpaceCheck.check(journal);
    }

    /** Letters, of which LZ4 makes nothing shorter. */
    private String name(int length) {
        return random.ints(length, 'a', 'z' + 1)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private void snapshot(int nameLength) {
        snapshots.add(journal.versions()
                .createSnapshots(List.of(volume()), name(nameLength))
                .getFirst()
                .id());
    }

    private void deleteAll() {
        journal.versions().deleteSnapshots(snapshots);
        snapshots.clear();
    }

    private void drop() {
        boolean more = true;
        while (more) {
            more = journal.versions().dropStep(1000);
        }
    }

    private void clean() {
        final SegmentMover mover = journal.mover();
        final int[] segments = mover.census().segments();
        for (int i = 0; i < Math.min(3, segments.length); i++) {
            mover.collect(segments[random.nextInt(segments.length)], new int[SegmentCensus.CLASSES]);
        }
        mover.publish();
    }

    private CheckpointSize size() {
        return journal.parts().checkpointSize();
    }

    private static void assertFull(Runnable action) {
        assertEquals(ErrorCode.STORE_FULL, assertThrows(StorageException.class, action::run).code());
    }

    private long writtenBytes() {
        return journal.parts().counters().writtenBytes;
    }

    // ---- the size ----

    private void compareStream() {
        final JournalParts parts = journal.parts();
        final List<MetadataCodec.VersionImage> images =
                parts.catalog().versions().stream().map(MetadataCodec.VersionImage::of).toList();
        final int count = parts.segments().count();
        final long[][] remaps = new long[parts.segments().remaps().count()][2];
        try (Arena scratch = Arena.ofConfined()) {
            final MemorySegment stream = MetadataCodec.encode(
                    scratch, images, 1, parts.segments(), new int[count], new boolean[count], remaps,
                    parts.dictionary().content());
            assertEquals(stream.byteSize(), size().streamBytes());
        }
    }

    private int[] generations() {
        final SegmentTable segments = journal.parts().segments();
        return IntStream.range(0, segments.count()).map(segments::generation).toArray();
    }

    /** Takes a checkpoint; it writes no more than the size says, and goes on in no more segments than that fills. */
    private void compareCheckpoint() {
        compareStream();
        final long size =
                size().metadataBytes() + journal.parts().arena().dirtyCount() * Journal.NODE_RESERVE_BYTES;
        final long before = writtenBytes();
        final int[] generations = generations();
        journal.checkpoint();
        final long written = writtenBytes() - before;
        assertTrue(written <= size, () -> "wrote %d, %d was the most".formatted(written, size));
        final int[] after = generations();
        final long taken = IntStream.range(0, after.length)
                .filter(i -> after[i] != (i < generations.length ? generations[i] : 0))
                .count();
        assertTrue(
                (taken - 1) * journal.parts().segments().segmentSizeBytes() <= size,
                () -> "took %d segments, %d bytes was the most".formatted(taken, size));
        compareStream();
    }

    private void changeAtRandom() {
        final Versions versions = journal.versions();
        for (int i = random.nextInt(60); i >= 0; i--) {
            snapshot(8 + random.nextInt(248));
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            put(random.longs(20, 0, PAGES).distinct().toArray());
        }
        if (random.nextInt(3) == 0) {
            clean();
        }
        for (int i = random.nextInt(20); i > 0 && snapshots.size() > 1; i--) {
            versions.deleteSnapshot(snapshots.remove(random.nextInt(snapshots.size())));
        }
        if (random.nextInt(4) == 0) {
            versions.cloneSnapshot(snapshots.removeFirst(), name(100));
        }
        if (random.nextInt(4) == 0) {
            journal.createVolume(name(100), 1 << 20, 12);
        }
        versions.dropStep(1 + random.nextInt(100));
    }

    @ParameterizedTest
    @ValueSource(ints = {64 << 10, 128 << 10, 256 << 10, 1 << 20, 4 << 20})
    void shouldNeverBeLessThanWhatACheckpointWrites(int segmentSize) {
        create(Workload.tinyOptions().withSegmentSizeBytes(segmentSize).withMaxSizeBytes((1 << 20) + (128L << 20)));
        for (int round = 0; round < 25; round++) {
            changeAtRandom();
            compareCheckpoint();
            if (round % 6 == 5) {
                killAndOpen();
                compareStream();
            }
        }
        journal.versions().rollbackTo(volume(), snapshots.getLast());
        compareCheckpoint();
        assertTrue(journal.parts().segments().remaps().count() > 0);
        SpaceCheck.check(journal);
    }

    /** Of a stream that is nothing but letters every block is stored raw. */
    @Test
    void shouldCountBlocksOfAStreamThatDoesNotCompress() {
        create(Workload.tinyOptions().withMaxSizeBytes((1 << 20) + (32L << 20)));
        for (int i = 0; i < 40; i++) {
            for (int n = 0; n < 50; n++) {
                snapshot(255);
            }
            compareCheckpoint();
        }
    }

    // ---- a store at its limit ----

    /** A store that takes neither snapshots nor pages any more. */
    private void fill() {
        create(Workload.tinyOptions());
        assertFull(() -> {
            while (true) {
                snapshot(NAME_LENGTH);
                if (snapshots.size() % 40 == 0) {
                    journal.checkpoint();
                }
            }
        });
        assertTrue(snapshots.size() > 1000, () -> snapshots.size() + " snapshots");
        assertFull(() -> {
            for (long lpn = 0; ; lpn++) {
                put(lpn % PAGES);
            }
        });
    }

    private void assertUsable() {
        drop();
        journal.checkpoint();
        journal.checkpoint();
        for (int round = 0; round < 20; round++) {
            put(LongStream.range(0, 40).toArray());
            snapshot(NAME_LENGTH);
            journal.checkpoint();
            deleteAll();
            drop();
            journal.checkpoint();
        }
        compare();
    }

    @Test
    void shouldCheckpointAFullStoreAgainAndAgain() {
        fill();
        for (int i = 0; i < 20; i++) {
            journal.checkpoint();
            SpaceCheck.check(journal);
        }
        killAndOpen();
        journal.checkpoint();
        compare();
    }

    @Test
    void shouldDeleteAndBeOpenedAgainWhenManySnapshotsFillTheStore() {
        fill();
        deleteAll();
        killAndOpen();
        assertEquals(List.of(), journal.versions().snapshots());
        assertUsable();
    }

    @Test
    void shouldDeleteOneByOneWithCheckpointsInBetween() {
        fill();
        for (int i = 0; !snapshots.isEmpty(); i++) {
            journal.versions().deleteSnapshot(snapshots.removeFirst());
            if (i % 10 == 0) {
                journal.checkpoint();
            }
            if (i % 300 == 0) {
                killAndOpen();
            }
        }
        assertUsable();
    }

    @Test
    void shouldGoBackInAFullStoreAsLongAsThereIsRoomForWhatIsLeft() {
        fill();
        final long before = seeds[0];
        assertFull(() -> {
            while (true) {
                journal.versions().rollbackTo(volume(), snapshots.getFirst());
            }
        });
        journal.checkpoint();
        Arrays.fill(seeds, 0);
        seeds[0] = before;
        deleteAll();
        killAndOpen();
        assertUsable();
    }

    @Test
    void shouldBeOpenedAgainWhenEachCheckpointOfAFullStoreIsBrokenOffAtItsEnd() {
        fill();
        for (int i = 0; i < 10; i++) {
            device.isRefusing = true;
            assertThrows(StorageException.class, journal::checkpoint);
            journal.kill();
            for (int n = 0; n < 3; n++) {
                device.reopen();
                assertThrows(StorageException.class, () -> Journal.open(device, options));
            }
            device.isRefusing = false;
            killAndOpen();
            journal.versions().deleteSnapshot(snapshots.removeFirst());
        }
        deleteAll();
        assertUsable();
    }

    // ---- more than a root block lists ----

    @ParameterizedTest
    @ValueSource(ints = {64 << 10, 128 << 10, 256 << 10, 16 << 20})
    void shouldNotGrowBeyondWhatACheckpointCanList(int segmentSize) {
        create(Workload.tinyOptions().withSegmentSizeBytes(segmentSize).withMaxSizeBytes(1L << 52));
        final long segments = (journal.space().limitBytes() - SuperblockDescriptor.SEGMENTS_OFFSET) / segmentSize;
        final double share = (double) segments * CatalogDescriptor.SEGMENT_LENGTH
                / MetadataRootDescriptor.streamBytesMax(segmentSize);
        assertEquals(0.75, share, 0.001);
        journal.kill();
        device.reopen();
        journal = Journal.open(device, options.withMaxSizeBytes(200L << 20));
        assertEquals(200L << 20, journal.space().limitBytes());
    }

    /** As many snapshots as there can be, in groups of one commit each. */
    private void fillCatalog() {
        create(Workload.tinyOptions().withMaxSizeBytes(200 << 20));
        put(LongStream.range(0, 100).toArray());
        final StorageException full = assertThrows(StorageException.class, () -> {
            while (true) {
                snapshots(300);
            }
        });
        assertEquals(ErrorCode.STORE_FULL, full.code());
        assertTrue(full.getMessage().startsWith("store full: its catalog takes"), full.getMessage());
        assertFull(() -> {
            while (true) {
                snapshots(1);
            }
        });
    }

    private void snapshots(int count) {
        try (Append append = journal.beginAppend()) {
            for (int i = 0; i < count; i++) {
                append.snapshot(volume(), name(255));
            }
            append.commit();
            append.apply();
            append.snapshots().forEach(snapshot -> snapshots.add(snapshot.id()));
        }
    }

    @Test
    void shouldRefuseSnapshotsBeforeACheckpointCannotListThem() {
        fillCatalog();
        assertFull(() -> journal.versions().cloneSnapshot(snapshots.getFirst(), name(255)));
        assertFull(() -> journal.versions().rollbackTo(volume(), snapshots.getFirst()));
        assertFull(() -> journal.createVolume(name(255), 1 << 20, 12));
        journal.checkpoint();
        put(1, 2, 3);
        journal.kill();
        device.reopen();
        journal = Journal.open(device, options);
        assertEquals(snapshots.size(), journal.versions().snapshots().size());
        deleteAll();
        drop();
        journal.checkpoint();
        snapshot(255);
        compare();
    }

    /** Segments whose blocks a head alone holds are cleaned all the same. */
    @Test
    void shouldLeaveBlocksWhereTheyAreWhenACheckpointCannotListTheirNames() {
        fillCatalog();
        journal.checkpoint();
        put(LongStream.range(0, 50).toArray());
        journal.checkpoint();
        for (int i = 0; i < 20; i++) {
            clean();
            journal.checkpoint();
        }
        assertEquals(0, journal.parts().segments().remaps().count());
        assertEquals(List.of(), journal.mover().badBlocks());
        assertTrue(journal.mover().statistics().blocks() > 0);
        journal.versions().deleteSnapshots(List.copyOf(snapshots.subList(1, snapshots.size())));
        drop();
        journal.checkpoint();
        for (int segment : journal.mover().census().segments()) {
            journal.mover().collect(segment, new int[SegmentCensus.CLASSES]);
        }
        journal.mover().publish();
        assertTrue(journal.parts().segments().remaps().count() > 0);
        killAndOpen();
    }

    /** What it wrote before it found that out would be lacking to the next one. Map nodes are written once. */
    @Test
    void shouldRefuseACheckpointBeforeItWritesMetadata() {
        create(Workload.tinyOptions());
        for (int i = 0; i < 500; i++) {
            snapshot(NAME_LENGTH);
            if (i % 50 == 49) {
                journal.checkpoint();
            }
        }
        final List<Integer> taken = new ArrayList<>();
        final FreeSegments free = journal.parts().segments().free();
        while (free.ensure(size().metadataBytes())) {
            taken.add(free.take());
        }
        assertFull(journal::checkpoint);
        final long before = writtenBytes();
        for (int i = 0; i < 10; i++) {
            assertFull(journal::checkpoint);
        }
        assertEquals(before, writtenBytes());
        taken.forEach(free::add);
        journal.checkpoint();
        killAndOpen();
    }
}
