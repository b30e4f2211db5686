package org.kvmdb.gc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.journal.Append;
import org.kvmdb.journal.BlockEncoder;
import org.kvmdb.journal.FileDevice;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.JournalOptions;
import org.kvmdb.journal.VolumeEntry;

/** A small store on a file: pages whose content tells which they are, and means to damage them. */
final class TestStore implements AutoCloseable {

    static final int SEGMENT_BYTES = 256 << 10;
    static final int SEGMENTS_OFFSET = 1 << 20;

    private final Path file;
    private final JournalOptions options;
    private Journal journal;

    TestStore(Path file, JournalOptions options) {
        this.file = file;
        this.options = options;
        journal = Journal.create(FileDevice.create(file), options);
    }

    static JournalOptions options() {
        return JournalOptions.defaults()
                .withSegmentSizeBytes(SEGMENT_BYTES)
                .withRandom(RandomGenerator.of("L64X128MixRandom"))
                .withPooledSegmentsMax(2);
    }

    Journal journal() {
        return journal;
    }

    Path file() {
        return file;
    }

    void reopen() {
        journal.close();
        journal = Journal.open(FileDevice.open(file, false), options);
    }

    /** Deletes a volume, to its last block. */
    void delete(VolumeEntry volume) {
        journal.deleteVolume(volume.id());
        while (journal.versions().dropStep(1000)) {
            Thread.onSpinWait();
        }
    }

    VolumeEntry volume(String name, int pageShift) {
        return journal.createVolume(name, 1L << 30, pageShift);
    }

    /** Commits pages from the first on, version by version different. */
    void write(VolumeEntry volume, long firstLpn, int count, long version) {
        try (Arena arena = Arena.ofConfined();
                Append append = journal.beginAppend()) {
            appendPages(append, arena, volume, firstLpn, count, version);
            append.commit();
            append.flush();
            append.apply();
        }
    }

    /** Appends pages that are never committed; returns the PPN of the first. */
    long steal(VolumeEntry volume, long firstLpn, int count, long version) {
        try (Arena arena = Arena.ofConfined();
                Append append = journal.beginAppend()) {
            final long ppn = appendPages(append, arena, volume, firstLpn, count, version);
            append.stolen();
            append.flush();
            return ppn;
        }
    }

    private static long appendPages(
            Append append, Arena arena, VolumeEntry volume, long firstLpn, int count, long version) {
        final MemorySegment page = arena.allocate(1L << volume.pageShift(), 64);
        final MemorySegment block = arena.allocate(BlockEncoder.destinationLength(volume.pageShift()), 64);
        long first = 0;
        for (long lpn = firstLpn; lpn < firstLpn + count; lpn++) {
            fill(page, volume, lpn, version);
            final int length = BlockEncoder.encode(page, volume.pageShift(), block);
            final long ppn = append.page(volume.id(), lpn, block.asSlice(0, length));
            first = first == 0 ? ppn : first;
        }
        return first;
    }

    /** Half of the page is random, so that it compresses to about a half. */
    private static void fill(MemorySegment page, VolumeEntry volume, long lpn, long version) {
        page.fill((byte) lpn);
        final Random random = new Random(volume.familyId() * 31 + lpn * 1_000_003 + version);
        for (long at = 0; at < page.byteSize() / 2; at += Long.BYTES) {
            page.set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
    }

    long position(VolumeEntry volume, long lpn) {
        return position(journal.lookup(volume.id(), lpn));
    }

    static long position(long ppn) {
        return SEGMENTS_OFFSET + (long) Ppn.segment(ppn) * SEGMENT_BYTES + Ppn.offsetBytes(ppn);
    }

    long allocatedBytes() {
        return journal.statistics().fileBytes();
    }

    /** The file as a process killed at this moment leaves it. */
    Path killedCopy(String name) {
        try {
            return Files.copy(file, file.resolveSibling(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void flip(Path file, long position) {
        final ByteBuffer one = ByteBuffer.allocate(1);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.read(one, position);
            one.put(0, (byte) (one.get(0) ^ 0x10));
            one.rewind();
            channel.write(one, position);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        journal.close();
    }
}
