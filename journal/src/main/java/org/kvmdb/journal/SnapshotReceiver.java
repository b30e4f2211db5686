package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.StorageException;

/**
 * Applies a stream to a store. The changes go into a hidden volume, either a new one or a clone of the base. When it is
 * complete, it becomes visible as a snapshot, in one step.
 *
 * <p><b>Resuming.</b> The hidden volume's name identifies its stream by the digest of the first chunk. Its LSN is the
 * digest of the stream up to the chunk that was committed last. A receiver of the same stream skips to the chunk with
 * that digest. Receiving another stream for the same volume deletes the hidden volume.
 *
 * <p>One thread at a time. The caller reads the {@link StreamReader}, and calls {@link #accept} after each chunk of
 * changes and {@link #publish} after the end.
 */
public final class SnapshotReceiver implements AutoCloseable {

    /** Chunks that are committed before they are made durable together. */
    private static final int CHUNKS_PER_FLUSH = 16;

    private static final String HIDDEN = ".receive-";
    private static final int DIGEST_DIGITS = 16;
    private static final int HIDDEN_NAME_KEPT = 80;
    private static final long RECORD_RESERVE_BYTES = 2L * RecordDescriptor.LENGTH;
    private static final long CHUNK_RESERVE_BYTES = 4L * BatchDescriptor.UNIT_BYTES;

    private final Journal journal;
    private final Versions versions;
    private final StreamReader stream;
    private final StreamHeader header;
    private final String volumeName;
    private final boolean force;
    private final MemorySegment page;
    private final MemorySegment block;

    /** The volume that gets a snapshot, and what the changes are on top of; null for a full stream. */
    private VolumeEntry target;

    private SnapshotEntry base;
    private VolumeEntry hidden;
    private boolean isHeld;
    /** Whether chunks are skipped, up to the one that was committed last. */
    private boolean skipping;

    private int unflushed;
    private long resumedBytes;

    /**
     * Finds what the stream is for, and what of it is there already.
     *
     * @param stream of which the header was read
     * @param volumeName of the volume that it goes into; of a full stream a new one
     * @param force of an incremental stream: drops what was changed in the volume since the base
     */
    public SnapshotReceiver(
            Journal journal, StreamReader stream, StreamHeader header, String volumeName, boolean force) {
        this.journal = journal;
        this.versions = journal.versions();
        this.stream = stream;
        this.header = header;
        this.volumeName = volumeName;
        this.force = force;
        // Not freed by closing: a store that was closed meanwhile is not entered any more.
        final Arena arena = Arena.ofAuto();
        page = arena.allocate(1L << header.pageShift(), Long.BYTES);
        block = arena.allocate(BlockEncoder.blockLengthMax(header.pageShift()), Long.BYTES);
        journal.change(() -> {
            findTarget();
            openHidden();
            return null;
        });
    }

    /** Drops what was left of streams that were not received to their end. Returns how many there were. */
    public static int abandon(Journal journal, String volumeName) {
        return journal.change(() -> {
            final List<VolumeEntry> left = hiddenFor(journal, volumeName);
            left.forEach(volume -> delete(journal, volume));
            return left.size();
        });
    }

    // ---- target ----

    private void findTarget() {
        target = journal.volumes().stream()
                .filter(volume -> volume.name().equals(volumeName))
                .findFirst()
                .orElse(null);
        if (header.isIncremental()) {
            findBase();
            checkHead();
        } else if (target != null) {
            throw new StorageException(
                    ErrorCode.VOLUME_EXISTS,
                    "there is a volume already: %s; a full stream needs a new one, give it another name"
                            .formatted(volumeName));
        }
    }

    private void findBase() {
        if (target == null) {
            throw wrongBase("volume %s does not exist".formatted(volumeName));
        }
        final List<SnapshotEntry> snapshots = versions.snapshots(target.id());
        for (SnapshotEntry snapshot : snapshots) {
            if (snapshot.guid() == header.guid()) {
                throw new StorageException(
                        ErrorCode.SNAPSHOT_EXISTS, "it was received already, as %s".formatted(snapshot.name()));
            }
            if (snapshot.snapshotName().equals(header.snapshotName())) {
                throw new StorageException(
                        ErrorCode.SNAPSHOT_EXISTS,
                        "there is another snapshot already: %s; delete it first".formatted(snapshot.name()));
            }
        }
        base = snapshots.stream()
                .filter(snapshot -> snapshot.guid() == header.baseGuid())
                .findFirst()
                .orElseThrow(() -> wrongBase("volume %s does not have it".formatted(volumeName)));
        if (base.pageShift() != header.pageShift()) {
            throw wrongBase("its pages are of %d bytes, those of %s of %d"
                    .formatted(1 << header.pageShift(), base.name(), 1 << base.pageShift()));
        }
    }

    private StorageException wrongBase(String fact) {
        return new StorageException(
                ErrorCode.WRONG_BASE,
                "the stream of %s is on top of %s@%s (guid %016x): %s; receive that first"
                        .formatted(header.describe(), header.volumeName(), header.baseName(), header.baseGuid(), fact));
    }

    /** Refuses when the volume was changed since the base, unless that is to be dropped. */
    private void checkHead() {
        if (base == null || force) {
            return;
        }
        final long[] differing = {-1};
        versions.diffPiece(base, target, 0, 1, (lpn, ppn) -> differing[0] = lpn);
        if (differing[0] >= 0 || target.sizeBytes() != base.sizeBytes()) {
            throw new StorageException(
                    ErrorCode.WRONG_BASE,
                    "volume %s was changed since %s (%s); take a snapshot of what is to be kept, and receive with force"
                            .formatted(
                                    volumeName, base.name(),
                                    differing[0] >= 0 ? "page " + differing[0] : "its size"));
        }
    }

    // ---- hidden volume ----

    private void openHidden() {
        final String name = hiddenName(stream.digest(), volumeName);
        for (VolumeEntry left : hiddenFor(journal, volumeName)) {
            if (left.name().equals(name)) {
                checkIdle(left);
                hidden = left;
            } else {
                delete(journal, left);
            }
        }
        if (hidden == null) {
            hidden = base == null
                    ? journal.createVolume(name, header.sizeBytes(), header.pageShift())
                    : versions.cloneSnapshot(base.id(), name);
        }
        if (hidden.sizeBytes() != header.sizeBytes()) {
            journal.resizeVolume(hidden.id(), header.sizeBytes());
        }
        skipping = hidden.lsn() != (base == null ? 0 : base.lsn());
        versions.openMap(hidden);
        isHeld = true;
    }

    /** Ends in the volume's name, or in what stands for it when that is long. */
    private static String hiddenName(long digest, String volumeName) {
        return "%s%016x%s".formatted(HIDDEN, digest, hiddenEnd(volumeName));
    }

    private static String hiddenEnd(String volumeName) {
        final boolean isShort = volumeName.getBytes(StandardCharsets.UTF_8).length <= HIDDEN_NAME_KEPT;
        return '-' + (isShort ? volumeName : "%08x".formatted(volumeName.hashCode()));
    }

    private static List<VolumeEntry> hiddenFor(Journal journal, String volumeName) {
        final String end = hiddenEnd(volumeName);
        return journal.volumes().stream()
                .filter(volume -> volume.name().startsWith(HIDDEN)
                        && volume.name().length() == HIDDEN.length() + DIGEST_DIGITS + end.length()
                        && volume.name().endsWith(end))
                .toList();
    }

    private static void checkIdle(VolumeEntry volume) {
        if (volume.mapUsers() > 0) {
            throw new StorageException(
                    ErrorCode.BUSY, "volume %s is being received into already".formatted(volume.name()));
        }
    }

    private static void delete(Journal journal, VolumeEntry volume) {
        checkIdle(volume);
        journal.deleteVolume(volume.id());
    }

    // ---- changes ----

    /** Bytes of the stream that an earlier call had received. */
    public long resumedBytes() {
        return resumedBytes;
    }

    /** Takes the chunk of changes that the stream's reader has read last: all of it, or nothing. */
    public void accept() {
        if (skipping) {
            skipping = stream.digest() != hidden.lsn();
            resumedBytes = stream.totals().streamBytes();
            return;
        }
        final Need need = new Need();
        stream.forEach(need);
        final long reserved = need.bytes();
        if (!journal.space().tryReserve(reserved)) {
            throw new StorageException(
                    ErrorCode.STORE_FULL,
                    ("store full: %d bytes of the stream are received, %d more are needed; make room, then receive it"
                                    + " again and it goes on from there")
                            .formatted(stream.totals().streamBytes(), reserved));
        }
        try {
            append();
        } finally {
            journal.space().release(reserved);
        }
    }

    private void append() {
        try (Append append = journal.beginAppend()) {
            stream.forEach(new StreamReader.RecordVisitor() {
                @Override
                public void page(long lpn, int codec, MemorySegment payload) {
                    append.page(hidden.id(), lpn, encode(codec, payload));
                }

                @Override
                public void holes(long firstLpn, long count) {
                    append.trim(hidden.id(), firstLpn, count);
                }
            });
            append.lsn(hidden.id(), stream.digest());
            append.commit();
            if (++unflushed == CHUNKS_PER_FLUSH) {
                append.flush();
                unflushed = 0;
            }
            append.apply();
        }
    }

    /** The block of a page, all but its seal. */
    private MemorySegment encode(int codec, MemorySegment payload) {
        return BlockEncoder.wrap(payload, codec, header.pageShift(), block);
    }

    /** Checks that each payload decodes to a page, and sums up what room the chunk needs. */
    private final class Need implements StreamReader.RecordVisitor {
        private long blockBytes;
        private long records;
        private long nodes = 1;
        private long lastLpn = -1;

        @Override
        public void page(long lpn, int codec, MemorySegment payload) {
            final MemorySegment encoded = encode(codec, payload);
            final String wrong =
                    BlockSeal.decodePayload(encoded, (int) payload.byteSize(), page, 1 << header.pageShift());
            if (wrong != null) {
                throw new StorageException(
                        ErrorCode.CORRUPT_STREAM,
                        "corrupt stream: lpn=%d: %s; the target is unchanged, send it again".formatted(lpn, wrong));
            }
            blockBytes += encoded.byteSize();
            records++;
            passTo(lpn);
        }

        @Override
        public void holes(long firstLpn, long count) {
            records++;
            passTo(firstLpn);
            passTo(firstLpn + count - 1);
        }

        /** Counts the nodes of the map that lead to a page and not to the one before. */
        private void passTo(long lpn) {
            for (int level = 1; level < MapNodeDescriptor.HEIGHT; level++) {
                if (lastLpn < 0 || lpn >>> NodeIdentity.shift(level) != lastLpn >>> NodeIdentity.shift(level)) {
                    nodes++;
                }
            }
            lastLpn = lpn;
        }

        long bytes() {
            final long batches = 1 + (blockBytes + records * RECORD_RESERVE_BYTES) / BatchDescriptor.LENGTH_MAX;
            return blockBytes
                    + records * RECORD_RESERVE_BYTES
                    + nodes * Journal.NODE_RESERVE_BYTES
                    + batches * CHUNK_RESERVE_BYTES;
        }
    }

    // ---- end ----

    /** The volume that gets the snapshot, or null when the stream makes a new one. */
    public VolumeEntry target() {
        return target;
    }

    /** Makes what was received seen, in one step, durable on return. */
    public SnapshotEntry publish() {
        if (skipping) {
            journal.change(() -> {
                release();
                delete(journal, hidden);
                return null;
            });
            throw new StorageException(
                    ErrorCode.CORRUPT_STREAM,
                    ("the stream of %s differs from the one whose first part was received before, which is dropped now;"
                                    + " the target is unchanged, receive it once more")
                            .formatted(header.describe()));
        }
        return journal.change(() -> {
            checkHead();
            checkQuota();
            release();
            return versions.publish(
                    hidden.id(), target == null ? null : target.id(), volumeName, header.snapshotName(), header.guid(),
                    header.createdMillis(), header.lsn());
        });
    }

    private void checkQuota() {
        if (target != null && target.quotaBytes() > 0 && hidden.referencedBytes() > target.quotaBytes()) {
            throw new StorageException(
                    ErrorCode.QUOTA,
                    "over the quota of volume %s: quota=%d with what was received=%d; raise it, and receive again"
                            .formatted(volumeName, target.quotaBytes(), hidden.referencedBytes()));
        }
    }

    private void release() {
        if (isHeld) {
            isHeld = false;
            versions.closeMap(hidden);
        }
    }

    /** Lets go; what was received and not published stays, for the next call to go on from. */
    @Override
    public void close() {
        release();
    }
}
