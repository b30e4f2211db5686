package org.kvmdb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sending, receiving and comparing through the public API. */
@Timeout(120)
class StreamTest {

    private static final VolumeOptions ONE_MIB = VolumeOptions.ofSizeBytes(TestStores.MIB);

    @TempDir
    Path directory;

    private Store create(String name) {
        return Store.create(directory.resolve(name), TestStores.small());
    }

    private static byte[] send(Snapshot snapshot, Snapshot from) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            final StreamSummary summary = snapshot.send(out, from);
            assertEquals(out.size(), summary.streamBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static Received receive(Store store, byte[] stream, ReceiveOptions options) {
        try {
            return store.receive(new ByteArrayInputStream(stream), options);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Snapshot receive(Store store, byte[] stream, String volume) {
        return receive(store, stream, ReceiveOptions.into(volume)).snapshot();
    }

    private static void assertSame(Snapshot expected, MemorySegment actual) {
        assertEquals(expected.sizeBytes(), actual.byteSize());
        assertEquals(-1, expected.memory().mismatch(actual), "first byte that differs");
    }

    // ---- round trip ----

    /** The JDK's own image, changed in several ways; each state byte by byte, also after opening again. */
    @Test
    void shouldReceiveRealDataWholeAndInSteps() throws IOException {
        final StoreOptions options = TestStores.small().withCacheSizeBytes(64L << 20).withSegmentSizeBytes(4 << 20);
        try (Store source = Store.create(directory.resolve("source"), options)) {
            final Volume modules = importModules(source);
            final List<Snapshot> sent = new ArrayList<>(List.of(modules.snapshot("imported")));
            final Random random = new Random(3);
            for (int i = 0; i < 300; i++) {
                modules.memory().set(ValueLayout.JAVA_BYTE, random.nextLong(modules.sizeBytes()), (byte) i);
            }
            sent.add(modules.snapshot("edited"));
            modules.resize(modules.sizeBytes() / 2);
            sent.add(modules.snapshot("halved"));
            modules.resize(modules.sizeBytes() * 2);
            modules.memory().asSlice(modules.sizeBytes() - 10_000).fill((byte) 7);
            sent.add(modules.snapshot("grown"));
            sent.add(modules.snapshot("same"));
            try (Store target = Store.create(directory.resolve("target"), options)) {
                for (int i = 0; i < sent.size(); i++) {
                    final byte[] stream = send(sent.get(i), i == 0 ? null : sent.get(i - 1));
                    final Received step = receive(target, stream, ReceiveOptions.into("copy"));
                    assertEquals(sent.get(i).name(), step.snapshot().name());
                    assertTrue(i == 0 || step.summary().pages() <= 300 && step.summary().streamBytes() < 4 << 20);
                    assertSame(sent.get(i), target.volume("copy").memory());
                }
            }
            try (Store target = Store.open(directory.resolve("target"), options)) {
                for (Snapshot snapshot : sent) {
                    final Snapshot copy = target.snapshotNamed("copy@" + snapshot.name());
                    assertSame(snapshot, copy.memory());
                    assertEquals(snapshot.created().toEpochMilli(), copy.created().toEpochMilli());
                    copy.release();
                }
                assertSame(sent.getLast(), target.volume("copy").memory());
                assertEquals(1, target.volumes().size());
            }
        }
    }

    private static Volume importModules(Store store) throws IOException {
        final Path file = Path.of(System.getProperty("java.home"), "lib", "modules");
        try (FileChannel channel = FileChannel.open(file);
                Arena arena = Arena.ofConfined()) {
            final MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, 0, Files.size(file), arena);
            final Volume volume = store.createVolume(
                    "modules", VolumeOptions.ofSizeBytes(data.byteSize()).withPageSizeBytes(16 << 10));
            for (long at = 0; at < data.byteSize(); at += TestStores.MIB) {
                volume.write(at, data.asSlice(at, Math.min(TestStores.MIB, data.byteSize() - at)));
            }
            return volume;
        }
    }

    @Test
    void shouldShowTheNewContentWhereTheVolumeIsMapped() {
        try (Store source = create("source");
                Store target = create("target")) {
            final Volume volume = source.createVolume("v", ONE_MIB);
            TestStores.writePages(volume, 1, 0, 100, 1);
            final Snapshot first = volume.snapshot("first");
            TestStores.writePages(volume, 1, 50, 80, 2);
            final Snapshot second = volume.snapshot("second");
            receive(target, send(first, null), "w");
            final Volume copy = target.volume("w");
            final MemorySegment memory = copy.memory();
            assertSame(first, memory);
            receive(target, send(second, first), "w");
            assertSame(second, memory);
            assertEquals(memory.address(), copy.memory().address());
            TestStores.writePages(copy, 1, 0, 10, 3);
            copy.commit();
            assertThrows(WrongBaseException.class, () -> receive(target, send(volume.snapshot("third"), second), "w"));
            TestStores.checkPages(copy, 1, 0, 10, 3);
        }
    }

    @Test
    void shouldKeepWhatIsNotCommittedUnlessForced() {
        try (Store source = create("source");
                Store target = create("target")) {
            final Volume volume = source.createVolume("v", ONE_MIB);
            TestStores.writePages(volume, 1, 0, 100, 1);
            final Snapshot first = volume.snapshot("first");
            TestStores.writePages(volume, 1, 50, 80, 2);
            final Snapshot second = volume.snapshot("second");
            receive(target, send(first, null), "w");
            final Volume copy = target.volume("w");
            TestStores.writePages(copy, 1, 5, 6, 9);
            final byte[] step = send(second, first);
            final String message =
                    assertThrows(WrongBaseException.class, () -> receive(target, step, "w")).getMessage();
            assertTrue(message.contains("1 pages are not committed"), message);
            TestStores.checkPages(copy, 1, 5, 6, 9);
            copy.rollback();
            TestStores.writePages(copy, 1, 5, 6, 9);
            receive(target, step, ReceiveOptions.into("w").withForce(true));
            assertSame(second, copy.memory());
            copy.commit();
            assertSame(second, copy.memory());
        }
    }

    @Test
    void shouldGoOnWithAnInterruptedStreamAfterTheStoreWasOpenedAgain() throws IOException {
        final byte[] stream;
        try (Store source = create("source")) {
            final Volume volume = source.createVolume("v", VolumeOptions.ofSizeBytes(8 << 20));
            final byte[] random = new byte[8 << 20];
            new Random(1).nextBytes(random);
            volume.write(0, MemorySegment.ofArray(random));
            stream = send(volume.snapshot("s"), null);
            try (Store target = create("target")) {
                assertThrows(IOException.class, () -> target.receive(
                        failingAt(stream, stream.length / 2), ReceiveOptions.into("w")));
                assertTrue(target.volumes().isEmpty() && target.snapshots().isEmpty());
                assertThrows(NoSuchVolumeException.class, () -> target.volume("w"));
            }
            try (Store target = Store.open(directory.resolve("target"), TestStores.small())) {
                final List<Long> reached = new ArrayList<>();
                final Received received = receive(
                        target, stream, ReceiveOptions.into("w").withProgress((offset, size) -> reached.add(offset)));
                assertTrue(received.summary().resumedBytes() > 3 << 20, () -> received.summary().toString());
                assertEquals(8L << 20, reached.getLast());
                assertArrayEquals(reached.stream().sorted().toArray(), reached.toArray());
                assertEquals(-1, target.volume("w").memory().mismatch(MemorySegment.ofArray(random)));
                assertFalse(target.abandonReceive("w"));
            }
        }
    }

    private static InputStream failingAt(byte[] stream, int length) {
        return new InputStream() {
            private int at;

            @Override
            public int read() throws IOException {
                if (at == length) {
                    throw new IOException("the line broke");
                }
                return stream[at++] & 0xFF;
            }
        };
    }

    @Test
    void shouldDropWhatAnInterruptedStreamLeftWhenAsked() {
        try (Store source = create("source");
                Store target = create("target")) {
            final Volume volume = source.createVolume("v", ONE_MIB);
            TestStores.writePages(volume, 1, 0, 100, 1);
            final byte[] stream = send(volume.snapshot("s"), null);
            final byte[] part = Arrays.copyOf(stream, stream.length - 1);
            assertThrows(CorruptStreamException.class, () -> receive(target, part, "w"));
            assertTrue(target.abandonReceive("w"));
            assertFalse(target.abandonReceive("w"));
        }
    }

    @Test
    void shouldRefuseNamesThatAreNone() {
        try (Store source = create("source");
                Store target = create("target")) {
            final byte[] stream = send(source.createVolume("v", ONE_MIB).snapshot("s"), null);
            for (String name : List.of("", ".hidden", "a/b", "a@b")) {
                assertThrows(IllegalUseException.class, () -> receive(target, stream, name));
            }
            assertTrue(target.volumes().isEmpty());
            assertThrows(CorruptStreamException.class, () -> receive(target, new byte[100], "w"));
            final Snapshot foreign = receive(target, stream, "w");
            assertThrows(IllegalUseException.class, () -> source.snapshotNamed("v@s").send(
                    OutputStream.nullOutputStream(), foreign));
        }
    }

    /** Whoever waits for an output must not keep the store open. */
    @Test
    void shouldCloseWhileASenderWaitsForItsOutput() throws InterruptedException {
        final Store source = create("source");
        final Volume volume = source.createVolume("v", ONE_MIB);
        TestStores.writePages(volume, 1, 0, 100, 1);
        final Snapshot snapshot = volume.snapshot("s");
        final CountDownLatch waiting = new CountDownLatch(1);
        final CountDownLatch closed = new CountDownLatch(1);
        final AtomicReference<Throwable> thrown = new AtomicReference<>();
        final Thread sender = new Thread(() -> {
            try {
                snapshot.send(new OutputStream() {
                    @Override
                    public void write(int b) {
                        waiting.countDown();
                        try {
                            closed.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                });
            } catch (IOException | RuntimeException e) {
                thrown.set(e);
            }
        });
        sender.start();
        waiting.await();
        assertThrows(StoreBusyException.class, snapshot::delete);
        source.close();
        closed.countDown();
        sender.join();
        assertEquals(StoreClosedException.class, thrown.get().getClass());
    }

    // ---- comparing ----

    @Test
    void shouldShowTheRangesThatDiffer() {
        try (Store store = create("store")) {
            final Volume volume = store.createVolume("v", VolumeOptions.ofSizeBytes(8 << 20));
            TestStores.writePages(volume, 1, 0, 600, 1);
            TestStores.writePages(volume, 1, 1900, 2048, 1);
            final Snapshot first = volume.snapshot("first");
            TestStores.writePages(volume, 1, 3, 4, 2);
            TestStores.writePages(volume, 1, 500, 1800, 2);
            volume.commit();
            volume.resize(1950 << 12);
            volume.resize(8 << 20);
            final Snapshot second = volume.snapshot("second");
            final List<String> expected = List.of(
                    range(3, 1, false), range(500, 1300, false), range(1950, 98, true));
            assertEquals(expected, changes(first, second));
            assertEquals(expected, changes(first, volume));
            assertEquals(List.of(), changes(second, volume));
            final Volume clone = first.cloneAs("clone");
            TestStores.writePages(clone, 1, 7, 9, 5);
            clone.commit();
            assertEquals(List.of(range(7, 2, false)), changes(first, clone));
            final Volume other = store.createVolume("other", ONE_MIB);
            assertThrows(IllegalUseException.class, () -> changes(first, other));
            assertThrows(IllegalUseException.class, () -> changes(first, other.snapshot("s")));
        }
    }

    private static String range(long lpn, long pages, boolean isHole) {
        return "%d+%d %s".formatted(lpn << 12, pages << 12, isHole);
    }

    private static List<String> changes(Snapshot from, Snapshot to) {
        final List<String> result = new ArrayList<>();
        from.diff(to, (offset, length, isHole) -> result.add("%d+%d %s".formatted(offset, length, isHole)));
        return result;
    }

    private static List<String> changes(Snapshot from, Volume to) {
        final List<String> result = new ArrayList<>();
        from.diff(to, (offset, length, isHole) -> result.add("%d+%d %s".formatted(offset, length, isHole)));
        return result;
    }
}
