package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes and reads the metadata stream of a checkpoint, laid out as {@link CatalogDescriptor} says. */
final class MetadataCodec {

    /** A volume as it was at the cut. */
    record VolumeImage(int id, String name, long sizeBytes, int pageShift, long familyId, long lsn, long rootPpn) {
        static int length(String name) {
            return CatalogDescriptor.VOLUME_NAME_OFFSET
                    + RecordDescriptor.nameLengthPadded(name.getBytes(StandardCharsets.UTF_8).length);
        }
    }

    private MetadataCodec() {}

    /** Encodes the stream; the live bytes are those of the cut, by segment, with FREE where the checkpoint frees. */
    static MemorySegment encode(
            Arena arena, List<VolumeImage> volumes, int nextVolumeId, SegmentTable segments, int[] live,
            boolean[] freed) {
        long length = CatalogDescriptor.HEADER_LENGTH;
        for (VolumeImage volume : volumes) {
            length += VolumeImage.length(volume.name());
        }
        length += (long) segments.count() * CatalogDescriptor.SEGMENT_LENGTH;
        final MemorySegment stream = arena.allocate(length, 64);
        Fields.putLong(stream, CatalogDescriptor.MAGIC_OFFSET, CatalogDescriptor.MAGIC);
        Fields.putInt(stream, CatalogDescriptor.VERSION_OFFSET, CatalogDescriptor.VERSION);
        Fields.putInt(stream, CatalogDescriptor.VOLUME_COUNT_OFFSET, volumes.size());
        Fields.putInt(stream, CatalogDescriptor.NEXT_VOLUME_ID_OFFSET, nextVolumeId);
        Fields.putInt(stream, CatalogDescriptor.SEGMENT_COUNT_OFFSET, segments.count());
        long at = CatalogDescriptor.HEADER_LENGTH;
        for (VolumeImage volume : volumes) {
            at += encodeVolume(stream.asSlice(at), volume);
        }
        for (int i = 0; i < segments.count(); i++) {
            encodeSegment(stream.asSlice(at, CatalogDescriptor.SEGMENT_LENGTH), segments, i, live[i], freed[i]);
            at += CatalogDescriptor.SEGMENT_LENGTH;
        }
        return stream;
    }

    private static int encodeVolume(MemorySegment target, VolumeImage volume) {
        final byte[] name = volume.name().getBytes(StandardCharsets.UTF_8);
        Fields.putInt(target, CatalogDescriptor.VOLUME_ID_OFFSET, volume.id());
        Fields.putByte(target, CatalogDescriptor.VOLUME_PAGE_SHIFT_OFFSET, volume.pageShift());
        Fields.putShort(target, CatalogDescriptor.VOLUME_NAME_LENGTH_OFFSET, name.length);
        Fields.putLong(target, CatalogDescriptor.VOLUME_SIZE_OFFSET, volume.sizeBytes());
        Fields.putLong(target, CatalogDescriptor.VOLUME_FAMILY_OFFSET, volume.familyId());
        Fields.putLong(target, CatalogDescriptor.VOLUME_LSN_OFFSET, volume.lsn());
        Fields.putLong(target, CatalogDescriptor.VOLUME_ROOT_OFFSET, volume.rootPpn());
        MemorySegment.copy(
                MemorySegment.ofArray(name), 0, target, CatalogDescriptor.VOLUME_NAME_OFFSET, name.length);
        return VolumeImage.length(volume.name());
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
    }

    /** Reads a stream of volumes; returns where the segment records begin. */
    static long decodeVolumes(MemorySegment stream, List<VolumeImage> volumes) {
        check(stream.byteSize() >= CatalogDescriptor.HEADER_LENGTH, "catalog is cut off", stream.byteSize());
        check(Fields.longAt(stream, CatalogDescriptor.MAGIC_OFFSET) == CatalogDescriptor.MAGIC
                        && Fields.intAt(stream, CatalogDescriptor.VERSION_OFFSET) == CatalogDescriptor.VERSION,
                "catalog has a wrong magic or version",
                Fields.longAt(stream, CatalogDescriptor.MAGIC_OFFSET));
        final int count = Fields.intAt(stream, CatalogDescriptor.VOLUME_COUNT_OFFSET);
        check(count >= 0, "catalog has a wrong number of volumes", count);
        long at = CatalogDescriptor.HEADER_LENGTH;
        for (int i = 0; i < count; i++) {
            check(stream.byteSize() - at >= CatalogDescriptor.VOLUME_NAME_OFFSET, "catalog is cut off", at);
            final VolumeImage volume = decodeVolume(stream.asSlice(at));
            volumes.add(volume);
            at += VolumeImage.length(volume.name());
        }
        return at;
    }

    private static VolumeImage decodeVolume(MemorySegment source) {
        final int nameLength = Fields.shortAt(source, CatalogDescriptor.VOLUME_NAME_LENGTH_OFFSET);
        check(nameLength >= 1
                        && nameLength <= RecordDescriptor.NAME_LENGTH_MAX
                        && CatalogDescriptor.VOLUME_NAME_OFFSET + RecordDescriptor.nameLengthPadded(nameLength)
                                <= source.byteSize(),
                "volume name has a wrong length",
                nameLength);
        final byte[] name = source.asSlice(CatalogDescriptor.VOLUME_NAME_OFFSET, nameLength)
                .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        final VolumeImage volume = new VolumeImage(
                Fields.intAt(source, CatalogDescriptor.VOLUME_ID_OFFSET),
                new String(name, StandardCharsets.UTF_8),
                Fields.longAt(source, CatalogDescriptor.VOLUME_SIZE_OFFSET),
                Fields.byteAt(source, CatalogDescriptor.VOLUME_PAGE_SHIFT_OFFSET),
                Fields.longAt(source, CatalogDescriptor.VOLUME_FAMILY_OFFSET),
                Fields.longAt(source, CatalogDescriptor.VOLUME_LSN_OFFSET),
                Fields.longAt(source, CatalogDescriptor.VOLUME_ROOT_OFFSET));
        check(VolumeImage.length(volume.name())
                        == CatalogDescriptor.VOLUME_NAME_OFFSET + RecordDescriptor.nameLengthPadded(nameLength),
                "volume name is not UTF-8", nameLength);
        return volume;
    }

    /** Reads the segment records into the table. */
    static void decodeSegments(MemorySegment stream, long from, SegmentTable segments) {
        final int count = Fields.intAt(stream, CatalogDescriptor.SEGMENT_COUNT_OFFSET);
        check(count > 0 && from + (long) count * CatalogDescriptor.SEGMENT_LENGTH == stream.byteSize(),
                "segment table has a wrong length", count);
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
                            && medium <= SegmentTable.HOLE,
                    "segment has an impossible state", i);
            segments.load(
                    Fields.intAt(record, CatalogDescriptor.SEGMENT_GENERATION_OFFSET),
                    Fields.longAt(record, CatalogDescriptor.SEGMENT_SALT_OFFSET),
                    // Whichever is really open, the log's end tells.
                    state == SegmentState.OPEN ? SegmentState.FULL : state,
                    live,
                    medium);
        }
    }

    private static void check(boolean condition, String fact, long value) {
        if (!condition) {
            throw Corrupt.store("%s: %d".formatted(fact, value));
        }
    }
}
