package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.kvmdb.ffi.CompressionDictionary;
import org.kvmdb.ffi.Ppn;

/** Writes and reads the metadata stream of a checkpoint, laid out as {@link CatalogDescriptor} says. */
final class MetadataCodec {

    /**
     * A version as it was at the cut.
     *
     * @param kind as CatalogDescriptor has it
     * @param name of a snapshot without its volume's
     * @param parent id, 0: none
     * @param volume of a snapshot: id of the volume whose it is
     */
    record VersionImage(
            int kind, int id, String name, long sizeBytes, int pageShift, long familyId, long lsn, long rootPpn, int parent,
            int epoch, int volume, boolean isDeleted, long guid, long createdMillis, long quotaBytes,
            long referencedPages, long referencedBytes, long dropCursor) {

        static VersionImage of(Version version) {
            return switch (version) {
                case VolumeEntry v -> new VersionImage(
                        CatalogDescriptor.KIND_VOLUME, v.id(), nameOf(v), v.sizeBytes(), v.pageShift(), v.familyId(), v.lsn(),
                        v.storedRoot(), idOf(v.parent()), 0, 0, v.isDeleted(), 0, 0, v.quotaBytes(), v.referencedPages(),
                        v.referencedBytes(), v.dropCursor());
                case SnapshotEntry v -> new VersionImage(
                        CatalogDescriptor.KIND_SNAPSHOT, v.id(), nameOf(v), v.sizeBytes(), v.pageShift(),
                        v.familyId(), v.lsn(), v.storedRoot(), idOf(v.parent()), v.epoch(), v.volumeId(), v.isDeleted(),
                        v.guid(), v.createdMillis(), 0, v.referencedPages(), v.referencedBytes(), v.dropCursor());
            };
        }

        /** The name that a version's entry holds. */
        private static String nameOf(Version version) {
            return switch (version) {
                case VolumeEntry volume -> volume.name();
                case SnapshotEntry snapshot -> snapshot.snapshotName();
            };
        }

        private static int idOf(Version version) {
            return version == null ? 0 : version.id();
        }

        VersionImage withRoot(long ppn) {
            return new VersionImage(
                    kind, id, name, sizeBytes, pageShift, familyId, lsn, ppn, parent, epoch, volume, isDeleted, guid,
                    createdMillis, quotaBytes, referencedPages, referencedBytes, dropCursor);
        }

        /** Bytes that the entry of a version takes. */
        static int length(Version version) {
            return length(nameOf(version));
        }

        /** Bytes that the entry of a version of that name takes. */
        static int length(String name) {
            return CatalogDescriptor.ENTRY_NAME_OFFSET
                    + RecordDescriptor.tailLengthPadded(name.getBytes(StandardCharsets.UTF_8).length);
        }
    }

    private MetadataCodec() {}

    /**
     * Length of a stream.
     *
     * @param entryBytes {@link VersionImage#length} of all its versions
     */
    static long streamLength(long entryBytes, long segmentCount, long remapCount, long dictionaryBytes) {
        return CatalogDescriptor.HEADER_LENGTH
                + entryBytes
                + segmentCount * CatalogDescriptor.SEGMENT_LENGTH
                + Long.BYTES
                + remapCount * CatalogDescriptor.REMAP_LENGTH
                + dictionaryBytes;
    }

    /**
     * Encodes the stream; the live bytes are those of the cut, by segment, with FREE where the checkpoint frees.
     *
     * @param dictionary empty when the store has none
     */
    static MemorySegment encode(
            Arena arena, List<VersionImage> versions, int nextId, SegmentTable segments, int[] live, boolean[] freed,
            long[][] remaps, MemorySegment dictionary) {
        long entryBytes = 0;
        for (VersionImage version : versions) {
            entryBytes += VersionImage.length(version.name());
        }
        final MemorySegment stream = arena.allocate(
                streamLength(entryBytes, segments.count(), remaps.length, dictionary.byteSize()), 64);
        Fields.putLong(stream, CatalogDescriptor.MAGIC_OFFSET, CatalogDescriptor.MAGIC);
        Fields.putInt(stream, CatalogDescriptor.VERSION_OFFSET, CatalogDescriptor.VERSION);
        Fields.putInt(stream, CatalogDescriptor.ENTRY_COUNT_OFFSET, versions.size());
        Fields.putInt(stream, CatalogDescriptor.NEXT_ID_OFFSET, nextId);
        Fields.putInt(stream, CatalogDescriptor.SEGMENT_COUNT_OFFSET, segments.count());
        Fields.putInt(stream, CatalogDescriptor.DICTIONARY_LENGTH_OFFSET, (int) dictionary.byteSize());
        long at = CatalogDescriptor.HEADER_LENGTH;
        for (VersionImage version : versions) {
            at += encodeVersion(stream.asSlice(at), version);
        }
        for (int i = 0; i < segments.count(); i++) {
            encodeSegment(stream.asSlice(at, CatalogDescriptor.SEGMENT_LENGTH), segments, i, live[i], freed[i]);
            at += CatalogDescriptor.SEGMENT_LENGTH;
        }
        Fields.putLong(stream, at, remaps.length);
        at += Long.BYTES;
        for (long[] remap : remaps) {
            Fields.putLong(stream, at + CatalogDescriptor.REMAP_NAME_OFFSET, remap[0]);
            Fields.putLong(stream, at + CatalogDescriptor.REMAP_TARGET_OFFSET, remap[1]);
            at += CatalogDescriptor.REMAP_LENGTH;
        }
        MemorySegment.copy(dictionary, 0, stream, at, dictionary.byteSize());
        return stream;
    }

    private static int encodeVersion(MemorySegment target, VersionImage version) {
        final byte[] name = version.name().getBytes(StandardCharsets.UTF_8);
        Fields.putInt(target, CatalogDescriptor.ENTRY_ID_OFFSET, version.id());
        Fields.putByte(target, CatalogDescriptor.ENTRY_PAGE_SHIFT_OFFSET, version.pageShift());
        Fields.putByte(target, CatalogDescriptor.ENTRY_KIND_OFFSET, version.kind());
        Fields.putShort(target, CatalogDescriptor.ENTRY_NAME_LENGTH_OFFSET, name.length);
        Fields.putLong(target, CatalogDescriptor.ENTRY_SIZE_OFFSET, version.sizeBytes());
        Fields.putLong(target, CatalogDescriptor.ENTRY_FAMILY_OFFSET, version.familyId());
        Fields.putLong(target, CatalogDescriptor.ENTRY_LSN_OFFSET, version.lsn());
        Fields.putLong(target, CatalogDescriptor.ENTRY_ROOT_OFFSET, version.rootPpn());
        Fields.putInt(target, CatalogDescriptor.ENTRY_PARENT_OFFSET, version.parent());
        Fields.putInt(target, CatalogDescriptor.ENTRY_EPOCH_OFFSET, version.epoch());
        Fields.putInt(target, CatalogDescriptor.ENTRY_VOLUME_OFFSET, version.volume());
        Fields.putInt(
                target, CatalogDescriptor.ENTRY_FLAGS_OFFSET, version.isDeleted() ? CatalogDescriptor.FLAG_DELETED : 0);
        Fields.putLong(target, CatalogDescriptor.ENTRY_GUID_OFFSET, version.guid());
        Fields.putLong(target, CatalogDescriptor.ENTRY_CREATED_OFFSET, version.createdMillis());
        Fields.putLong(target, CatalogDescriptor.ENTRY_QUOTA_OFFSET, version.quotaBytes());
        Fields.putLong(target, CatalogDescriptor.ENTRY_REFERENCED_PAGES_OFFSET, version.referencedPages());
        Fields.putLong(target, CatalogDescriptor.ENTRY_REFERENCED_BYTES_OFFSET, version.referencedBytes());
        Fields.putLong(target, CatalogDescriptor.ENTRY_CURSOR_OFFSET, version.dropCursor());
        MemorySegment.copy(MemorySegment.ofArray(name), 0, target, CatalogDescriptor.ENTRY_NAME_OFFSET, name.length);
        return VersionImage.length(version.name());
    }

    private static void encodeSegment(
            MemorySegment target, SegmentTable segments, int segment, int live, boolean freed) {
        final SegmentState state = freed ? SegmentState.FREE : segments.state(segment);
        Fields.putLong(target, CatalogDescriptor.SEGMENT_DEVICE_OFFSET_OFFSET, segments.position(segment));
        Fields.putLong(target, CatalogDescriptor.SEGMENT_SALT_OFFSET, segments.salt(segment));
        Fields.putInt(target, CatalogDescriptor.SEGMENT_GENERATION_OFFSET, segments.generation(segment));
        Fields.putShort(target, CatalogDescriptor.SEGMENT_DEVICE_INDEX_OFFSET, 0);
        Fields.putByte(target, CatalogDescriptor.SEGMENT_COPIES_OFFSET, 1);
        Fields.putByte(target, CatalogDescriptor.SEGMENT_STATE_OFFSET, state.ordinal());
        Fields.putInt(target, CatalogDescriptor.SEGMENT_LIVE_OFFSET, live);
        Fields.putInt(
                target,
                CatalogDescriptor.SEGMENT_WRITTEN_OFFSET,
                freed ? SegmentTable.WRITTEN : segments.medium(segment));
        Fields.putLong(target, CatalogDescriptor.SEGMENT_WRITE_TIME_OFFSET, segments.ages().writeTime(segment));
    }

    /** Reads a stream of versions; returns where the segment records begin. */
    static long decodeVersions(MemorySegment stream, List<VersionImage> versions) {
        check(stream.byteSize() >= CatalogDescriptor.HEADER_LENGTH, "catalog is cut off", stream.byteSize());
        check(Fields.longAt(stream, CatalogDescriptor.MAGIC_OFFSET) == CatalogDescriptor.MAGIC
                        && Fields.intAt(stream, CatalogDescriptor.VERSION_OFFSET) == CatalogDescriptor.VERSION,
                "catalog has a wrong magic or version", Fields.intAt(stream, CatalogDescriptor.VERSION_OFFSET));
        final int count = Fields.intAt(stream, CatalogDescriptor.ENTRY_COUNT_OFFSET);
        check(count >= 0, "catalog has a wrong number of versions", count);
        long at = CatalogDescriptor.HEADER_LENGTH;
        for (int i = 0; i < count; i++) {
            check(stream.byteSize() - at >= CatalogDescriptor.ENTRY_NAME_OFFSET, "catalog is cut off", at);
            final VersionImage version = decodeVersion(stream.asSlice(at));
            versions.add(version);
            at += VersionImage.length(version.name());
        }
        return at;
    }

    private static VersionImage decodeVersion(MemorySegment source) {
        final int nameLength = Fields.shortAt(source, CatalogDescriptor.ENTRY_NAME_LENGTH_OFFSET);
        check(nameLength >= 1
                        && nameLength <= RecordDescriptor.NAME_LENGTH_MAX
                        && CatalogDescriptor.ENTRY_NAME_OFFSET + RecordDescriptor.tailLengthPadded(nameLength)
                                <= source.byteSize(),
                "name of a version has a wrong length",
                nameLength);
        final byte[] name = source.asSlice(CatalogDescriptor.ENTRY_NAME_OFFSET, nameLength)
                .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        final int flags = Fields.intAt(source, CatalogDescriptor.ENTRY_FLAGS_OFFSET);
        check((flags & ~CatalogDescriptor.FLAG_DELETED) == 0, "version has unknown flags", flags);
        final VersionImage version = new VersionImage(
                Fields.byteAt(source, CatalogDescriptor.ENTRY_KIND_OFFSET),
                Fields.intAt(source, CatalogDescriptor.ENTRY_ID_OFFSET),
                new String(name, StandardCharsets.UTF_8),
                Fields.longAt(source, CatalogDescriptor.ENTRY_SIZE_OFFSET),
                Fields.byteAt(source, CatalogDescriptor.ENTRY_PAGE_SHIFT_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_FAMILY_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_LSN_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_ROOT_OFFSET),
                Fields.intAt(source, CatalogDescriptor.ENTRY_PARENT_OFFSET),
                Fields.intAt(source, CatalogDescriptor.ENTRY_EPOCH_OFFSET),
                Fields.intAt(source, CatalogDescriptor.ENTRY_VOLUME_OFFSET),
                flags != 0,
                Fields.longAt(source, CatalogDescriptor.ENTRY_GUID_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_CREATED_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_QUOTA_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_REFERENCED_PAGES_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_REFERENCED_BYTES_OFFSET),
                Fields.longAt(source, CatalogDescriptor.ENTRY_CURSOR_OFFSET));
        check(VersionImage.length(version.name())
                        == CatalogDescriptor.ENTRY_NAME_OFFSET + RecordDescriptor.tailLengthPadded(nameLength),
                "name of a version is not UTF-8", nameLength);
        return version;
    }

    /** Reads the segment records into the table. */
    static void decodeSegments(MemorySegment stream, long from, SegmentTable segments) {
        final int count = Fields.intAt(stream, CatalogDescriptor.SEGMENT_COUNT_OFFSET);
        final long end = from + (long) count * CatalogDescriptor.SEGMENT_LENGTH;
        check(count > 0 && end + Long.BYTES <= stream.byteSize(), "segment table has a wrong length", count);
        for (int i = 0; i < count; i++) {
            final MemorySegment record =
                    stream.asSlice(from + (long) i * CatalogDescriptor.SEGMENT_LENGTH, CatalogDescriptor.SEGMENT_LENGTH);
            final int live = Fields.intAt(record, CatalogDescriptor.SEGMENT_LIVE_OFFSET);
            final int medium = Fields.intAt(record, CatalogDescriptor.SEGMENT_WRITTEN_OFFSET);
            final SegmentState state = SegmentState.of(Fields.byteAt(record, CatalogDescriptor.SEGMENT_STATE_OFFSET));
            check(Fields.longAt(record, CatalogDescriptor.SEGMENT_DEVICE_OFFSET_OFFSET) == segments.position(i)
                            && Fields.shortAt(record, CatalogDescriptor.SEGMENT_DEVICE_INDEX_OFFSET) == 0
                            && Fields.byteAt(record, CatalogDescriptor.SEGMENT_COPIES_OFFSET) == 1,
                    "segment lies where it cannot", i);
            check(state != null
                            && live >= 0
                            && live <= segments.segmentSizeBytes()
                            && (live == 0 || state != SegmentState.FREE)
                            && medium >= SegmentTable.FRESH
                            && medium <= SegmentTable.HOLE
                            && SegmentAges.isTime(Fields.longAt(record, CatalogDescriptor.SEGMENT_WRITE_TIME_OFFSET)),
                    "segment has an impossible state", i);
            segments.load(
                    Fields.intAt(record, CatalogDescriptor.SEGMENT_GENERATION_OFFSET),
                    Fields.longAt(record, CatalogDescriptor.SEGMENT_SALT_OFFSET),
                    // Whichever is really open, the log's end tells.
                    state == SegmentState.OPEN ? SegmentState.FULL : state,
                    live,
                    medium,
                    Fields.longAt(record, CatalogDescriptor.SEGMENT_WRITE_TIME_OFFSET));
        }
        decodeRemaps(stream, end, segments);
    }

    private static void decodeRemaps(MemorySegment stream, long from, SegmentTable segments) {
        final long count = Fields.longAt(stream, from);
        final long at = from + Long.BYTES;
        final long end = stream.byteSize() - dictionaryLength(stream);
        check(count >= 0 && count == (end - at) / CatalogDescriptor.REMAP_LENGTH
                        && at + count * CatalogDescriptor.REMAP_LENGTH == end,
                "remaps have a wrong length", count);
        long last = 0;
        for (long i = 0; i < count; i++) {
            final long record = at + i * CatalogDescriptor.REMAP_LENGTH;
            final long name = Fields.longAt(stream, record + CatalogDescriptor.REMAP_NAME_OFFSET);
            final long target = Fields.longAt(stream, record + CatalogDescriptor.REMAP_TARGET_OFFSET);
            check(segments.fits(name)
                            && segments.isPlausible(target)
                            && Ppn.lengthBytes(name) == Ppn.lengthBytes(target)
                            && Long.compareUnsigned(name, last) > 0
                            && segments.remaps().nameOf(target) == target,
                    "remap is impossible", name);
            segments.remaps().put(name, target);
            last = name;
        }
    }

    /** The store's dictionary, empty when it has none: what lies behind all else. */
    static MemorySegment dictionary(MemorySegment stream) {
        return stream.asSlice(stream.byteSize() - dictionaryLength(stream));
    }

    private static int dictionaryLength(MemorySegment stream) {
        final int length = Fields.intAt(stream, CatalogDescriptor.DICTIONARY_LENGTH_OFFSET);
        check(length >= 0
                        && length <= CompressionDictionary.LENGTH_MAX
                        && length <= stream.byteSize() - CatalogDescriptor.HEADER_LENGTH
                        && Fields.intAt(stream, CatalogDescriptor.RESERVED_OFFSET) == 0,
                "dictionary has a wrong length", length);
        return length;
    }

    private static void check(boolean condition, String fact, long value) {
        if (!condition) {
            throw Corrupt.store("%s: %d".formatted(fact, value));
        }
    }
}
