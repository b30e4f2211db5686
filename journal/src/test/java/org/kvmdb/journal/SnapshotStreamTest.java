package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.simulation.KeptDevice;

/** Snapshots sent from one journal and received by another. */
class SnapshotStreamTest extends StreamPair {

    @Test
    void shouldReceiveWhatWasSentWholeAndInSteps() {
        work.createVolume("a", 2000L << 12, 12);
        work.put("a", true, range(0, 600));
        work.put("a", true, 1500, 1999);
        final List<SnapshotEntry> sent = new ArrayList<>(List.of(snapshot("a", "s0")));
        work.put("a", true, range(100, 300));
        work.put("a", true, 700, 1999);
        sent.add(snapshot("a", "s1"));
        work.trim("a", true, range(0, 50));
        work.trim("a", true, 599, 1500);
        sent.add(snapshot("a", "s2"));
        work.resizeVolume("a", 150L << 12);
        work.put("a", true, 149);
        sent.add(snapshot("a", "s3"));
        work.resizeVolume("a", 5000L << 12);
        work.put("a", true, 4999);
        sent.add(snapshot("a", "s4"));
        work.resizeVolume("a", 0);
        sent.add(snapshot("a", "s5"));
        sent.add(snapshot("a", "s6"));
        for (int i = 0; i < sent.size(); i++) {
            TestStreams.receive(target, send(sent.get(i), i == 0 ? null : sent.get(i - 1)), "b", false);
            verify(sent.get(i), "b");
            TestStreams.receive(target, send(sent.get(i), null), "whole" + i, false);
            verify(sent.get(i), "whole" + i);
        }
        for (int i = 1; i < sent.size(); i++) {
            TestStreams.receive(target, send(sent.get(0), null), "jump" + i, false);
            TestStreams.receive(target, send(sent.get(i), sent.get(0)), "jump" + i, false);
            verify(sent.get(i), "jump" + i);
        }
    }

    @Test
    void shouldSendOnlyWhatDiffers() {
        work.createVolume("a", 2000L << 14, 14);
        work.put("a", true, range(0, 1500));
        final SnapshotEntry base = snapshot("a", "base");
        work.put("a", true, 3, 1999);
        work.trim("a", true, range(10, 700));
        final SnapshotEntry next = snapshot("a", "next");
        final StreamForge forge = new StreamForge(send(next, base));
        assertEquals(3, forge.chunks().size());
        assertTrue(forge.chunks().get(1).length < 3 * (24 + (1 << 14)));
        assertTrue(send(base, null).length > 5 << 20);
    }

    @Test
    void shouldMakeTheSameBytesWhenItIsSentAgain() {
        work.createVolume("a", 2000L << 12, 12);
        work.put("a", true, range(0, 1000));
        final SnapshotEntry base = snapshot("a", "base");
        work.put("a", true, range(500, 1000));
        work.trim("a", true, range(700, 20));
        final SnapshotEntry next = snapshot("a", "next");
        final byte[] whole = send(next, null);
        final byte[] step = send(next, base);
        work.put("a", true, range(0, 100));
        work.checkpoint();
        work.closeJournal();
        sourceDevice.reopen();
        try (Journal again = Journal.open(sourceDevice, OPTIONS)) {
            final SnapshotEntry sameNext = again.versions().snapshot("a", "next");
            assertArrayEquals(whole, TestStreams.send(again, sameNext, null));
            assertArrayEquals(step, TestStreams.send(again, sameNext, again.versions().snapshot("a", "base")));
        }
    }

    @Test
    void shouldSendAnOlderMomentOfAnOriginForItsClone() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final SnapshotEntry base = snapshot("a", "base");
        source().versions().cloneSnapshot(base.id(), "c");
        final SnapshotEntry ofClone = snapshot("c", "first");
        TestStreams.receive(target, send(base, null), "b", false);
        TestStreams.receive(target, send(ofClone, base), "b", false);
        verify(ofClone, "b");
    }

    @Test
    void shouldRefuseABaseThatIsNone() {
        work.createVolume("a", 100L << 12, 12);
        work.createVolume("b", 100L << 12, 12);
        final SnapshotEntry older = snapshot("a", "older");
        final SnapshotEntry newer = snapshot("a", "newer");
        final SnapshotEntry other = snapshot("b", "other");
        for (SnapshotEntry base : List.of(newer, other, older)) {
            assertCode(ErrorCode.ILLEGAL_USE, () -> new SnapshotSender(source(), older, base));
        }
        source().versions().deleteSnapshot(older.id());
    }

    @Test
    void shouldKeepSnapshotsFromBeingDeletedWhileTheyAreSent() {
        work.createVolume("a", 100L << 12, 12);
        final SnapshotEntry base = snapshot("a", "base");
        final SnapshotEntry next = snapshot("a", "next");
        try (SnapshotSender sender = new SnapshotSender(source(), next, base)) {
            assertCode(ErrorCode.BUSY, () -> source().versions().deleteSnapshot(base.id()));
            assertCode(ErrorCode.BUSY, () -> source().versions().deleteSnapshot(next.id()));
            sender.next();
        }
        source().versions().deleteSnapshot(base.id());
        source().versions().deleteSnapshot(next.id());
        assertCode(ErrorCode.NO_SUCH_SNAPSHOT, () -> new SnapshotSender(source(), next, null));
    }

    @Test
    void shouldSendTheSnapshotWhenTheVolumeIsWrittenMeanwhile() throws InterruptedException {
        work.createVolume("a", 3000L << 12, 12);
        work.put("a", true, range(0, 3000));
        final SnapshotEntry snapshot = snapshot("a", "s");
        final byte[] expected = send(snapshot, null);
        final AtomicReference<byte[]> sent = new AtomicReference<>();
        final Thread sender = new Thread(() -> sent.set(send(snapshot, null)));
        sender.start();
        for (int i = 0; sender.isAlive() || i < 40; i++) {
            work.put("a", true, range(i * 50 % 2900, 50));
            if (i % 20 == 0) {
                work.checkpoint();
            }
        }
        sender.join();
        assertArrayEquals(expected, sent.get());
    }

    @Test
    void shouldSendTheSnapshotWhenBlocksAreMovedMeanwhile() {
        work.createVolume("a", 3000L << 12, 12);
        work.createVolume("b", 3000L << 12, 12);
        work.put("a", true, range(0, 3000));
        work.put("b", true, range(0, 3000));
        final SnapshotEntry snapshot = snapshot("a", "s");
        final byte[] expected = send(snapshot, null);
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (SnapshotSender sender = new SnapshotSender(source(), snapshot, null)) {
            for (MemorySegment chunk = sender.next(); chunk != null; chunk = sender.next()) {
                out.writeBytes(chunk.toArray(ValueLayout.JAVA_BYTE));
                moveAll();
                work.checkpoint();
                work.put("b", true, range(0, 1000));
                work.checkpoint();
            }
        }
        assertArrayEquals(expected, out.toByteArray());
        assertArrayEquals(expected, send(snapshot, null));
        assertTrue(source().mover().statistics().blocks() > 3000);
    }

    private void moveAll() {
        for (int segment : source().mover().census().segments()) {
            source().mover().collect(segment, new int[SegmentAges.CLASSES]);
        }
        source().mover().publish();
    }

    /** As one that was looked up before it moved: what lies there is no longer it. */
    @Test
    void shouldLookABlockUpAgainWhenItDoesNotVerify() {
        work.createVolume("a", 300L << 12, 12);
        work.put("a", true, range(0, 300));
        final byte[] expected = send(snapshot("a", "s"), null);
        work.closeJournal();
        final AtomicInteger readsUntilStale = new AtomicInteger(-1);
        final KeptDevice device = new KeptDevice(sourceDevice.medium()) {
            @Override
            public long read(long position, MemorySegment buffer) {
                final long count = super.read(position, buffer);
                if (readsUntilStale.getAndDecrement() == 0) {
                    buffer.fill((byte) 0x55);
                }
                return count;
            }
        };
        try (Journal journal = Journal.open(device, OPTIONS)) {
            final SnapshotEntry snapshot = journal.versions().snapshot("a", "s");
            journal.versions().openMap(snapshot);
            for (int reads = 0; reads < 300; reads += 50) {
                readsUntilStale.set(reads);
                assertArrayEquals(expected, TestStreams.send(journal, snapshot, null));
                assertTrue(readsUntilStale.get() < 0);
            }
        }
    }

    @Test
    void shouldReadEachPageOnceWhereverAChunkEnds() {
        work.createVolume("a", 3000L << 12, 12);
        work.put("a", true, range(0, 3000));
        snapshot("a", "s");
        work.closeJournal();
        final AtomicInteger reads = new AtomicInteger();
        final KeptDevice device = new KeptDevice(sourceDevice.medium()) {
            @Override
            public long read(long position, MemorySegment buffer) {
                reads.incrementAndGet();
                return super.read(position, buffer);
            }
        };
        try (Journal journal = Journal.open(device, OPTIONS)) {
            final SnapshotEntry snapshot = journal.versions().snapshot("a", "s");
            journal.versions().openMap(snapshot);
            reads.set(0);
            final StreamForge forge = new StreamForge(TestStreams.send(journal, snapshot, null));
            assertTrue(forge.chunks().size() > 5);
            assertEquals(3000, reads.get());
        }
    }

    @Test
    void shouldSayWhichPageWhenABlockCannotBeRead() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final SnapshotEntry snapshot = snapshot("a", "s");
        final long ppn = source().versions().lookup(snapshot, 33);
        final long position = SuperblockDescriptor.SEGMENTS_OFFSET
                + (long) Ppn.segment(ppn) * OPTIONS.segmentSizeBytes()
                + Ppn.offsetBytes(ppn);
        sourceDevice.write(position + 8, Arena.ofAuto().allocate(8));
        final StorageException e = assertThrows(StorageException.class, () -> send(snapshot, null));
        assertEquals(ErrorCode.CORRUPT_PAGE, e.code());
        assertEquals(33, e.lpn());
    }

    // ---- refusals ----

    @Test
    void shouldRefuseAWrongBaseAndChangeNothing() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.put("a", true, 1);
        final SnapshotEntry s1 = snapshot("a", "s1");
        work.put("a", true, 2);
        final SnapshotEntry s2 = snapshot("a", "s2");
        final byte[] first = send(s0, null);
        final byte[] second = send(s1, s0);
        final byte[] third = send(s2, s1);
        assertCode(ErrorCode.WRONG_BASE, () -> TestStreams.receive(target, second, "b", false));
        TestStreams.receive(target, first, "b", false);
        final Map<String, String> before = TestStreams.visible(target);
        assertCode(ErrorCode.WRONG_BASE, () -> TestStreams.receive(target, third, "b", false));
        assertCode(ErrorCode.WRONG_BASE, () -> TestStreams.receive(target, third, "b", true));
        assertCode(ErrorCode.VOLUME_EXISTS, () -> TestStreams.receive(target, first, "b", true));
        assertEquals(before, TestStreams.visible(target));
        TestStreams.receive(target, second, "b", false);
        assertCode(ErrorCode.SNAPSHOT_EXISTS, () -> TestStreams.receive(target, second, "b", true));
        TestStreams.receive(target, third, "b", false);
        verify(s2, "b");
    }

    @Test
    void shouldFindTheBaseByWhatItIsAndNotByItsName() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.put("a", true, 1);
        final SnapshotEntry s1 = snapshot("a", "s1");
        final int other = target.createVolume("b", 100L << 12, 12).id();
        target.versions().createSnapshots(List.of(other), "s0");
        assertCode(ErrorCode.WRONG_BASE, () -> TestStreams.receive(target, send(s1, s0), "b", true));
    }

    @Test
    void shouldRefuseAVolumeThatWasChangedUnlessForced() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.put("a", true, 1);
        final SnapshotEntry s1 = snapshot("a", "s1");
        final byte[] step = send(s1, s0);
        for (String change : List.of("trimmed", "resized", "snapshotted")) {
            TestStreams.receive(target, send(s0, null), change, false);
            final int id = target.volume(change).id();
            if (change.equals("resized")) {
                target.resizeVolume(id, 101L << 12);
            } else {
                try (Append append = target.beginAppend()) {
                    append.trim(id, 7);
                    append.commit();
                    append.apply();
                }
            }
            if (change.equals("snapshotted")) {
                target.versions().createSnapshots(List.of(id), "mine");
            }
            final Map<String, String> before = TestStreams.visible(target);
            assertCode(ErrorCode.WRONG_BASE, () -> TestStreams.receive(target, step, change, false));
            assertEquals(before, TestStreams.visible(target));
            TestStreams.receive(target, step, change, true);
            verify(s1, change);
            if (change.equals("snapshotted")) {
                final String mine = TestStreams.visible(target).get("snapshotted@mine");
                assertEquals(before.get("snapshotted@mine"), mine);
            }
        }
    }

    @Test
    void shouldShrinkAVolumeThatTookAfterASnapshotWhoseMapIsOnlyStored() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.resizeVolume("a", 20L << 12);
        final SnapshotEntry s1 = snapshot("a", "s1");
        TestStreams.receive(target, send(s0, null), "b", false);
        target.resizeVolume(target.volume("b").id(), 99L << 12);
        try (Append append = target.beginAppend()) {
            append.trim(target.volume("b").id(), 7);
            append.commit();
            append.apply();
        }
        target.checkpoint();
        reopenTarget();
        TestStreams.receive(target, send(s1, s0), "b", true);
        verify(s1, "b");
    }

    @Test
    void shouldNoticeAChangeThatCameWhileItWasReceived() throws Exception {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.put("a", true, 1);
        final SnapshotEntry s1 = snapshot("a", "s1");
        TestStreams.receive(target, send(s0, null), "b", false);
        final StreamReader reader = new StreamReader(new ByteArrayInputStream(send(s1, s0)));
        final StreamHeader header = reader.begin();
        try (SnapshotReceiver receiver = new SnapshotReceiver(target, reader, header, "b", false)) {
            while (reader.next()) {
                receiver.accept();
            }
            target.resizeVolume(target.volume("b").id(), 99L << 12);
            assertCode(ErrorCode.WRONG_BASE, receiver::publish);
        }
        assertEquals(99L << 12, target.volume("b").sizeBytes());
        TestStreams.receive(target, send(s1, s0), "b", true);
        verify(s1, "b");
    }

    @Test
    void shouldLetOnlyOneReceiveIntoAVolume() throws Exception {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 50));
        final byte[] stream = send(snapshot("a", "s0"), null);
        final byte[] other = send(snapshot("a", "s1"), null);
        final StreamReader reader = new StreamReader(new ByteArrayInputStream(stream));
        final StreamHeader header = reader.begin();
        try (SnapshotReceiver receiver = new SnapshotReceiver(target, reader, header, "b", false)) {
            assertCode(ErrorCode.BUSY, () -> TestStreams.receive(target, stream, "b", false));
            assertCode(ErrorCode.BUSY, () -> TestStreams.receive(target, other, "b", false));
            assertCode(ErrorCode.BUSY, () -> SnapshotReceiver.abandon(target, "b"));
            TestStreams.receive(target, stream, "c", false);
            assertEquals(1, TestStreams.hidden(target));
            assertEquals(0, receiver.resumedBytes());
        }
        assertEquals(1, SnapshotReceiver.abandon(target, "b"));
        assertEquals(0, TestStreams.hidden(target));
    }

    @Test
    void shouldSayQuotaBeforeItIsSeen() {
        work.createVolume("a", 100L << 12, 12);
        work.put("a", true, range(0, 10));
        final SnapshotEntry s0 = snapshot("a", "s0");
        work.put("a", true, range(10, 50));
        final SnapshotEntry s1 = snapshot("a", "s1");
        TestStreams.receive(target, send(s0, null), "b", false);
        target.versions().quota(target.volume("b").id(), 50 << 10);
        final Map<String, String> before = TestStreams.visible(target);
        assertCode(ErrorCode.QUOTA, () -> TestStreams.receive(target, send(s1, s0), "b", false));
        assertEquals(before, TestStreams.visible(target));
        target.versions().quota(target.volume("b").id(), 0);
        TestStreams.receive(target, send(s1, s0), "b", false);
        verify(s1, "b");
    }

    @Test
    void shouldRefuseWhenTheStoreIsFullAndGoOnWhenThereIsRoom() {
        work.createVolume("a", 10_000L << 12, 12);
        for (int i = 0; i < 10; i++) {
            work.put("a", true, range(i * 1000, 1000));
        }
        final SnapshotEntry big = snapshot("a", "big");
        final byte[] stream = send(big, null);
        target.kill();
        targetDevice.reopen();
        final JournalOptions small = OPTIONS.withMaxSizeBytes(16L << 20);
        target = Journal.open(targetDevice, small);
        assertCode(ErrorCode.STORE_FULL, () -> TestStreams.receive(target, stream, "b", false));
        assertEquals(Map.of(), TestStreams.visible(target));
        assertEquals(0, target.space().reservedBytes());
        reopenTarget();
        assertEquals(1, TestStreams.hidden(target));
        TestStreams.receive(target, stream, "b", false);
        verify(big, "b");
    }
}
