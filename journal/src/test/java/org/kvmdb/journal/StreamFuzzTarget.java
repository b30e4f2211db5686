package org.kvmdb.journal;

import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.fuzz.Edit;
import org.kvmdb.journal.fuzz.FuzzTarget;
import org.kvmdb.journal.fuzz.Place;
import org.kvmdb.journal.simulation.KeptDevice;

/**
 * A stream of a snapshot with lies in its chunks is received: it is refused, with nothing changed that can be seen, or it is
 * received and can be read to its last page.
 */
public final class StreamFuzzTarget implements FuzzTarget {

    private static final String VOLUME = "copy";
    private static final int ROOM_BYTES = 2 << 20;
    /** All segments are at hand: the device does not grow. */
    private static final JournalOptions OPTIONS = FuzzImages.OPTIONS.withPooledSegmentsMax(100);

    private final Map<String, byte[]> chunks = new TreeMap<>();
    private byte[] base;
    private Map<String, String> visible;

    @Override
    public String name() {
        return "stream";
    }

    @Override
    public String valid() {
        return "received, received";
    }

    @Override
    public int cost() {
        return 2;
    }

    private void prepare() {
        final KeptDevice device = new KeptDevice(new MemoryDevice("source"));
        final KeptDevice target = new KeptDevice(new MemoryDevice("target"));
        try (Workload work = new Workload(device, FuzzImages.OPTIONS, 3)) {
            work.create();
            work.createVolume("a", 700L << 12, 12);
            work.put("a", true, LongStream.range(0, 12).toArray());
            work.snapshot("a", "base");
            work.put("a", true, 1, 3, 20, 600);
            work.trim("a", true, 5, 6);
            work.snapshot("a", "next");
            final SnapshotEntry before = work.journal().versions().snapshot("a", "base");
            final SnapshotEntry after = work.journal().versions().snapshot("a", "next");
            final byte[] full = TestStreams.send(work.journal(), before, null);
            split("full", full);
            split("next", TestStreams.send(work.journal(), after, before));
            makeReceiver(target, full);
        } finally {
            device.dispose();
            target.dispose();
        }
    }

    /** A store that has the base of the incremental stream. */
    private void makeReceiver(KeptDevice target, byte[] full) {
        try (Journal receiver = Journal.create(target, FuzzImages.OPTIONS.withRandom(new SplittableRandom(4)))) {
            TestStreams.receive(receiver, full, VOLUME, false);
            visible = TestStreams.visible(receiver);
        }
        base = LogImage.of(target.medium()).bytes();
    }

    private void split(String prefix, byte[] stream) {
        final List<byte[]> all = new StreamForge(stream).chunks();
        for (int i = 0; i < all.size(); i++) {
            chunks.put("%s-chunk/%d".formatted(prefix, i), all.get(i));
        }
    }

    @Override
    public List<Place> places() {
        if (base == null) {
            prepare();
        }
        final List<Place> places = new ArrayList<>();
        chunks.forEach((name, bytes) -> {
            final List<Place.Field> fields = new ArrayList<>();
            IntStream.iterate(0, at -> at + 8 <= Math.min(bytes.length, 160), at -> at + 4).forEach(at -> {
                fields.add(new Place.Field(at, 8));
                fields.add(new Place.Field(at, 4));
                fields.add(new Place.Field(at + 2, 2));
                fields.add(new Place.Field(at + 1, 1));
            });
            places.add(new Place(name, bytes, fields));
        });
        return places;
    }

    @Override
    public String run(List<Edit> program) {
        final Map<String, byte[]> edited = new TreeMap<>(chunks);
        Edit.apply(program, edited);
        return receive(seal(edited, "full"), VOLUME + 2) + ", " + receive(seal(edited, "next"), VOLUME);
    }

    /** Chunks of length 0 are left out. */
    private static byte[] seal(Map<String, byte[]> chunks, String prefix) {
        final StreamForge forge = new StreamForge(new byte[0]);
        chunks.forEach((name, bytes) -> {
            if (name.startsWith(prefix) && bytes.length >= StreamChunkDescriptor.HEADER_LENGTH) {
                forge.chunks().add(bytes.clone());
            }
        });
        return forge.seal(forge.chunks().stream().anyMatch(chunk -> chunk.length % 3 != 0));
    }

    private String receive(byte[] stream, String volume) {
        final HeapDevice device = new HeapDevice(base);
        device.resize(base.length + ROOM_BYTES);
        try (Journal journal = Journal.open(device, OPTIONS.withRandom(new SplittableRandom(9)))) {
            try {
                final SnapshotEntry received =
                        TestStreams.receive(journal, new ByteArrayInputStream(stream), volume, false);
                readSome(journal, received);
                return "received";
            } catch (StorageException e) {
                StoreFuzzTarget.checkCode(e);
                final Map<String, String> now = TestStreams.visible(journal);
                if (!now.equals(visible)) {
                    throw new AssertionError("refused, and what can be seen has changed: " + now, e);
                }
                return e.code().name();
            }
        }
    }

    private static void readSome(Journal journal, SnapshotEntry received) {
        if (received.referencedPages() > 1000) {
            throw new AssertionError("received more pages than were sent: " + received.referencedPages());
        }
        TestStreams.pages(journal, received);
    }
}
