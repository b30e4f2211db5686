package org.kvmdb;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.kvmdb.cache.PageCache;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.Journal;
import org.kvmdb.journal.SnapshotEntry;
import org.kvmdb.journal.SnapshotReceiver;
import org.kvmdb.journal.SnapshotSender;
import org.kvmdb.journal.StreamHeader;
import org.kvmdb.journal.StreamReader;
import org.kvmdb.journal.StreamTotals;
import org.kvmdb.journal.Version;
import org.kvmdb.journal.VolumeEntry;

/**
 * Sends, receives and compares snapshots of an open store. It enters the store for one chunk at a time, and never while
 * it waits for input or output, so closing the store waits for at most one chunk.
 */
final class OpenStreams {

    private static final int DIFF_PIECE_PAGES = 1 << 10;

    private final OpenStore store;
    private final Journal journal;
    private final PageCache cache;

    OpenStreams(OpenStore store, Journal journal, PageCache cache) {
        this.store = store;
        this.journal = journal;
        this.cache = cache;
    }

    // ---- sending ----

    /** @param from the base of an incremental stream, or null */
    StreamSummary send(SnapshotEntry snapshot, SnapshotEntry from, OutputStream output, StreamProgress progress)
            throws IOException {
        final SnapshotSender sender = store.call(() -> new SnapshotSender(journal, snapshot, from));
        try {
            while (true) {
                final byte[] chunk = store.call(() -> nextChunk(sender));
                if (chunk == null) {
                    return summary(sender.totals(), 0);
                }
                output.write(chunk);
                progress.reached(
                        offset(sender.nextLpn(), snapshot.pageShift(), snapshot.sizeBytes()), snapshot.sizeBytes());
            }
        } finally {
            closeUnlessStoreIs(sender::close);
        }
    }

    private static byte[] nextChunk(SnapshotSender sender) {
        final MemorySegment chunk = sender.next();
        return chunk == null ? null : chunk.toArray(ValueLayout.JAVA_BYTE);
    }

    private static StreamSummary summary(StreamTotals totals, long resumedBytes) {
        return new StreamSummary(
                totals.pages(), totals.holes(), totals.payloadBytes(), totals.streamBytes(), resumedBytes);
    }

    private static long offset(long lpn, int pageShift, long sizeBytes) {
        return Math.min(lpn << pageShift, sizeBytes);
    }

    /** Does nothing if the store was closed meanwhile: it then holds nothing to release. */
    private void closeUnlessStoreIs(Runnable close) {
        try {
            store.run(close);
        } catch (StoreClosedException e) {
            System.getLogger(OpenStreams.class.getName()).log(System.Logger.Level.DEBUG, "closed meanwhile", e);
        }
    }

    // ---- receiving ----

    Received receive(InputStream input, ReceiveOptions options) throws IOException {
        store.run(() -> OpenStore.checkName("volume", options.volumeName()));
        final StreamReader stream = new StreamReader(input);
        final StreamHeader header = begin(stream);
        final SnapshotReceiver receiver = store.call(
                () -> new SnapshotReceiver(journal, stream, header, options.volumeName(), options.force()));
        try {
            while (next(stream)) {
                store.run(receiver::accept);
                options.progress()
                        .reached(
                                offset(stream.nextLpn(), header.pageShift(), header.sizeBytes()), header.sizeBytes());
            }
            final SnapshotEntry received = store.call(() -> publish(receiver, header, options.force()));
            return new Received(
                    store.call(() -> store.snapshotsOfStore().of(received)),
                    summary(stream.totals(), receiver.resumedBytes()));
        } finally {
            closeUnlessStoreIs(receiver::close);
        }
    }

    private static StreamHeader begin(StreamReader stream) throws IOException {
        try {
            return stream.begin();
        } catch (StorageException e) {
            throw ExceptionMapper.map(e);
        }
    }

    private static boolean next(StreamReader stream) throws IOException {
        try {
            return stream.next();
        } catch (StorageException e) {
            throw ExceptionMapper.map(e);
        }
    }

    private SnapshotEntry publish(SnapshotReceiver receiver, StreamHeader header, boolean force) {
        final SnapshotEntry[] received = new SnapshotEntry[1];
        final Runnable change = () -> received[0] = receiver.publish();
        final VolumeEntry target = receiver.target();
        if (target == null) {
            change.run();
        } else if (!store.unlessMapped(target, change)) {
            cache.replace(store.volumeOf(target).region(), header.sizeBytes(), force, change);
        }
        return received[0];
    }

    boolean abandon(String volumeName) {
        return SnapshotReceiver.abandon(journal, volumeName) > 0;
    }

    // ---- comparing ----

    void diff(SnapshotEntry older, Version newer, ChangeVisitor visitor) {
        if (older.familyId() != newer.familyId()) {
            throw new StorageException(
                    ErrorCode.ILLEGAL_USE,
                    "%s and %s have nothing in common: compare snapshots of a volume, or of what it was cloned from"
                            .formatted(older.name(), newer.name()));
        }
        final Ranges ranges = new Ranges(newer.pageShift(), visitor);
        store.run(() -> journal.versions().hold(older));
        try {
            for (long lpn = 0; lpn >= 0; ) {
                final long from = lpn;
                lpn = store.call(() -> journal.versions().diff(older, newer, from, DIFF_PIECE_PAGES, ranges::add));
                ranges.show();
            }
            ranges.end();
        } finally {
            closeUnlessStoreIs(() -> journal.versions().closeMap(older));
        }
    }
}
