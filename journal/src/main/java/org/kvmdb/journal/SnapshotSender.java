package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * Makes a stream from a snapshot, one chunk at a time: either all of it, or the differences from an older snapshot of
 * its family. Blocks are verified as they are read, and sent compressed as they are stored, except those that need the
 * store's dictionary. Commits continue meanwhile: the append lock is held to look up a piece of the map, but not while
 * the device is read.
 *
 * <p>The snapshots cannot be deleted until this is closed. Not thread-safe.
 */
public final class SnapshotSender implements AutoCloseable {

    private static final int PIECE_PAGES = 256;

    private final Journal journal;
    private final Versions versions;
    private final SnapshotEntry snapshot;
    private final SnapshotEntry base;
    private final SegmentTable segments;
    private final BlockReader reader;
    private final StreamWriter writer = new StreamWriter();
    /** The page that was read last, and its block if it was compressed anew. */
    private final MemorySegment page;

    private final MemorySegment block;
    private int codec;
    /** Of a page that was read and is in no chunk yet; null: there is none. */
    private MemorySegment payload;
    private boolean begun;
    private boolean ended;
    private boolean closed;

    /** Pages that were looked up and are to be put into the stream yet, and where their blocks lay then; 0: a hole. */
    private long[] lpns = new long[2 * PIECE_PAGES];

    private long[] places = new long[2 * PIECE_PAGES];
    private int at;
    private int count;
    /** Where the next piece begins, or {@link MapWalk#END}. */
    private long cursor;

    /** Holes that are to be put into the stream yet. */
    private long firstHole;

    private long endHole;

    /** @param base that the receiver has, or null */
    public SnapshotSender(Journal journal, SnapshotEntry snapshot, SnapshotEntry base) {
        this.journal = journal;
        this.versions = journal.versions();
        this.snapshot = snapshot;
        this.base = base;
        segments = journal.parts().segments();
        reader = new BlockReader(journal.parts());
        page = Arena.ofAuto().allocate(1L << snapshot.pageShift(), Long.BYTES);
        block = Arena.ofAuto().allocate(BlockEncoder.destinationLength(snapshot.pageShift()), Ppn.UNIT_BYTES);
        if (base != null && (base.familyId() != snapshot.familyId() || base.epoch() >= snapshot.epoch())) {
            throw new StorageException(
                    ErrorCode.ILLEGAL_USE,
                    "%s is no base for %s: name an older snapshot of the volume, or of the one that it was cloned from"
                            .formatted(base.name(), snapshot.name()));
        }
        versions.hold(snapshot);
        if (base != null) {
            try {
                versions.hold(base);
            } catch (RuntimeException e) {
                versions.closeMap(snapshot);
                throw e;
            }
        }
    }

    private StreamHeader header() {
        final Superblock store = journal.superblock();
        return new StreamHeader(
                store.storeUuidHigh(),
                store.storeUuidLow(),
                snapshot.volumeName(),
                snapshot.snapshotName(),
                base == null ? "" : base.snapshotName(),
                snapshot.guid(),
                base == null ? 0 : base.guid(),
                snapshot.createdMillis(),
                snapshot.sizeBytes(),
                snapshot.pageShift(),
                snapshot.lsn());
    }

    /** The next chunk, valid until the next call; null behind the last. CORRUPT_PAGE for a page that cannot be had. */
    public MemorySegment next() {
        if (!begun) {
            begun = true;
            return writer.begin(header());
        }
        if (ended) {
            return null;
        }
        while (at < count || cursor != MapWalk.END) {
            if (at == count) {
                lookUpPiece();
            } else if (!putPage(lpns[at], places[at])) {
                return writer.changes();
            } else {
                at++;
            }
        }
        if (!putHoles() || !writer.isEmpty()) {
            return writer.changes();
        }
        ended = true;
        return writer.end();
    }

    /** LPN that the stream has come to, of {@link Version#pageCount}. */
    public long nextLpn() {
        if (ended) {
            return snapshot.pageCount();
        }
        return at < count ? lpns[at] : Math.max(0, cursor);
    }

    public StreamTotals totals() {
        return writer.totals();
    }

    // ---- map ----

    private void lookUpPiece() {
        at = 0;
        count = 0;
        cursor = versions.diff(base, snapshot, cursor, PIECE_PAGES, this::add);
        if (cursor >= snapshot.pageCount()) {
            cursor = MapWalk.END;
        }
    }

    private void add(long lpn, long ppn) {
        // What the base had behind the end of a snapshot that is smaller is told by its size.
        if (lpn >= snapshot.pageCount()) {
            return;
        }
        if (count == lpns.length) {
            lpns = Arrays.copyOf(lpns, 2 * count);
            places = Arrays.copyOf(places, 2 * count);
        }
        lpns[count] = lpn;
        places[count++] = ppn == 0 ? 0 : segments.resolve(ppn);
    }

    // ---- stream ----

    /** False, with nothing put, when the chunk is full. */
    private boolean putPage(long lpn, long place) {
        if (place == 0 && lpn == endHole && firstHole < endHole) {
            endHole++;
            return true;
        }
        if (!putHoles()) {
            return false;
        }
        if (place == 0) {
            firstHole = lpn;
            endHole = lpn + 1;
            return true;
        }
        // How long it is shows when it is read, so one that does not fit waits for the next chunk.
        if (payload == null) {
            readPayload(lpn, place);
        }
        if (!writer.hasRoom((int) payload.byteSize())) {
            return false;
        }
        writer.page(lpn, codec, payload);
        payload = null;
        return true;
    }

    private void readPayload(long lpn, long place) {
        read(lpn, place);
        if (reader.lastCodec() == BlockDescriptor.CODEC_LZ4_DICTIONARY) {
            compressAnew();
        } else {
            codec = reader.lastCodec();
            payload = reader.lastPayload();
        }
    }

    /** The receiver does not have this store's dictionary. */
    private void compressAnew() {
        BlockEncoder.encode(page, snapshot.pageShift(), block);
        codec = Fields.byteAt(block, BlockDescriptor.CODEC_OFFSET);
        payload = block.asSlice(
                BlockDescriptor.HEADER_LENGTH, Fields.intAt(block, BlockDescriptor.PAYLOAD_LENGTH_OFFSET));
    }

    private boolean putHoles() {
        if (firstHole == endHole) {
            return true;
        }
        if (!writer.hasRoom(0)) {
            return false;
        }
        writer.holes(firstHole, endHole - firstHole);
        firstHole = endHole;
        return true;
    }

    /** Reads a block. One that does not verify may have been moved since: then where it lies now decides. */
    private void read(long lpn, long place) {
        if (readAt(lpn, place) != null) {
            journal.look(() -> {
                final long now = segments.resolve(versions.lookup(snapshot, lpn));
                final String wrong = readAt(lpn, now);
                if (wrong != null) {
                    throw StorageException.corruptPage(snapshot.name(), lpn, now, wrong);
                }
                return null;
            });
        }
    }

    private String readAt(long lpn, long place) {
        final int segment = Ppn.segment(place);
        return reader.read(
                place, segments.salt(segment), segments.generation(segment), BlockDescriptor.TYPE_PAGE, lpn,
                snapshot.familyId(), page, snapshot.pageShift());
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            versions.closeMap(snapshot);
            if (base != null) {
                versions.closeMap(base);
            }
        }
    }
}
