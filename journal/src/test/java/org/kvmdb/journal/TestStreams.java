package org.kvmdb.journal;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Sends, receives, and says what a journal shows. */
public final class TestStreams {

    private TestStreams() {}

    /** @param base or null */
    public static byte[] send(Journal journal, SnapshotEntry snapshot, SnapshotEntry base) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (SnapshotSender sender = new SnapshotSender(journal, snapshot, base)) {
            for (MemorySegment chunk = sender.next(); chunk != null; chunk = sender.next()) {
                out.writeBytes(chunk.toArray(ValueLayout.JAVA_BYTE));
            }
        }
        return out.toByteArray();
    }

    public static SnapshotEntry receive(Journal journal, byte[] stream, String volume, boolean force) {
        return receive(journal, new ByteArrayInputStream(stream), volume, force);
    }

    /** What an input throws comes wrapped. */
    public static SnapshotEntry receive(Journal journal, InputStream input, String volume, boolean force) {
        final StreamReader reader = new StreamReader(input);
        try {
            final StreamHeader header = reader.begin();
            try (SnapshotReceiver receiver = new SnapshotReceiver(journal, reader, header, volume, force)) {
                while (reader.next()) {
                    receiver.accept();
                }
                return receiver.publish();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Hashes of the pages that are not holes. */
    public static Map<Long, Integer> pages(Journal journal, Version version) {
        final Map<Long, Integer> result = new TreeMap<>();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment page = arena.allocate(1L << version.pageShift(), 64);
            long lpn = 0;
            while (lpn >= 0) {
                lpn = journal.versions().diff(null, version, lpn, 1000, (at, ppn) -> result.put(at, 0));
            }
            result.replaceAll((at, none) -> {
                journal.versions().readPage(version, at, page);
                return Arrays.hashCode(page.toArray(ValueLayout.JAVA_BYTE));
            });
        }
        return result;
    }

    /** All that users are shown: volumes and snapshots with what they hold. */
    public static Map<String, String> visible(Journal journal) {
        final Map<String, String> result = new TreeMap<>();
        for (VolumeEntry volume : journal.volumes()) {
            if (!volume.isHidden()) {
                result.put(volume.name(), describe(journal, volume));
            }
        }
        for (SnapshotEntry snapshot : journal.versions().snapshots()) {
            result.put(snapshot.name(), "%x %d %s".formatted(
                    snapshot.guid(), snapshot.createdMillis(), describe(journal, snapshot)));
        }
        return result;
    }

    /** Size, LSN and pages: the same in every store. */
    public static String describe(Journal journal, Version version) {
        return "%d %d %d %s".formatted(
                version.sizeBytes(), version.pageShift(), version.lsn(), pages(journal, version));
    }

    /** Volumes that a stream was received into and not yet to its end. */
    public static long hidden(Journal journal) {
        return journal.volumes().stream().filter(VolumeEntry::isHidden).count();
    }
}
