package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.StorageException;
import org.kvmdb.journal.fuzz.Edit;
import org.kvmdb.journal.fuzz.FuzzTarget;
import org.kvmdb.journal.fuzz.Place;

/**
 * A store with lies in some of its parts is opened, and all that can be seen of it is read. What a page holds says itself which
 * page of which family it is: so a wrong one is noticed, whatever was done to the map; but a program that edits blocks of
 * pages can make them hold anything.
 */
abstract class StoreFuzzTarget implements FuzzTarget {

    private static final int PAGES_MAX = 64;
    private static final int VERSIONS_MAX = 64;

    private final String name;
    private final List<String> kinds;
    /** Made when it is needed: the name is asked for alone, too. */
    private ForgedStore store;

    StoreFuzzTarget(String name, String... kinds) {
        this.name = name;
        this.kinds = List.of(kinds);
    }

    @Override
    public final String name() {
        return name;
    }

    final ForgedStore store() {
        if (store == null) {
            store = ForgedStore.of(FuzzImages.killed());
        }
        return store;
    }

    @Override
    public final List<Place> places() {
        final List<Place> places = new ArrayList<>();
        store().parts().forEach((part, bytes) -> {
            if (kinds.contains(part.substring(0, part.indexOf('/') + 1))) {
                places.add(new Place(part, bytes, ForgedFields.of(part, bytes)));
            }
        });
        if (kinds.contains("file/")) {
            places.add(new Place(ForgedStore.FILE, new byte[store().length()], ForgedFields.every(store().length(), 512)));
        }
        return places;
    }

    @Override
    public String run(List<Edit> program) {
        final HeapDevice device = store().forge(program);
        final boolean isContentTrue = program.stream().noneMatch(
                edit -> edit.place().startsWith(ForgedStore.BLOCK) || edit.place().equals(ForgedStore.FILE));
        try (Journal journal = Journal.open(device, options().withRandom(new SplittableRandom(5)))) {
            return use(journal, isContentTrue);
        } catch (StorageException e) {
            checkCode(e);
            return e.code().name();
        }
    }

    abstract JournalOptions options();

    /** What is done with a store that could be opened. */
    String use(Journal journal, boolean isContentTrue) {
        return readAll(journal, isContentTrue);
    }

    /** What a hostile file may be refused with. */
    static void checkCode(StorageException e) {
        if (e.code() == ErrorCode.CLOSED || e.code() == ErrorCode.INVALID || e.code() == ErrorCode.UNSUPPORTED) {
            throw new AssertionError("refused with " + e.code(), e);
        }
    }

    static String readAll(Journal journal, boolean isContentTrue) {
        int right = 0;
        int bad = 0;
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment memory = arena.allocate(1 << 16, 64);
            final List<Version> versions = journal.versions().all();
            for (Version version : versions.subList(0, Math.min(VERSIONS_MAX, versions.size()))) {
                if (version.isDeleted()) {
                    continue;
                }
                for (long lpn : mapped(journal, version)) {
                    if (isRight(journal, version, lpn, memory, isContentTrue)) {
                        right++;
                    } else {
                        bad++;
                    }
                }
            }
        }
        return bad > 0 ? "read, pages bad" : right > 0 ? "read" : "empty";
    }

    /** Some pages that are not holes; none of a map that cannot be walked. */
    private static List<Long> mapped(Journal journal, Version version) {
        final List<Long> result = new ArrayList<>();
        try {
            journal.versions().diff(null, version, 0, PAGES_MAX, (lpn, ppn) -> result.add(lpn));
        } catch (StorageException e) {
            checkCode(e);
        }
        return result;
    }

    private static boolean isRight(
            Journal journal, Version version, long lpn, MemorySegment memory, boolean isContentTrue) {
        final MemorySegment page = memory.asSlice(0, 1L << version.pageShift());
        try {
            journal.versions().readPage(version, lpn, page);
        } catch (StorageException e) {
            if (e.code() != ErrorCode.CORRUPT_PAGE) {
                checkCode(e);
            }
            return false;
        }
        if (isContentTrue) {
            // A volume that was received holds what says to be of the family that was sent.
            PageContent.version(page, page.get(ValueLayout.JAVA_LONG_UNALIGNED, 2 * Long.BYTES), lpn);
        }
        return true;
    }

    /** Where the fields of parts are. */
    private static final class ForgedFields {

        static List<Place.Field> of(String part, byte[] bytes) {
            if (part.startsWith(ForgedStore.SUPERBLOCK)) {
                return every(SuperblockDescriptor.RESERVED_OFFSET, 8);
            }
            if (part.equals(ForgedStore.ROOT)) {
                return every(MetadataRootDescriptor.ENTRIES_OFFSET + 2 * MetadataRootDescriptor.ENTRY_LENGTH, 8);
            }
            if (part.startsWith(ForgedStore.NODE)) {
                return ofNode(bytes);
            }
            if (part.startsWith(ForgedStore.BLOCK)) {
                return every(Math.min(64, bytes.length), 4);
            }
            return every(bytes.length, 8);
        }

        /** The header, the entries that are not holes and their neighbours, and their births. */
        private static List<Place.Field> ofNode(byte[] bytes) {
            final List<Place.Field> fields = new ArrayList<>(every(16, 4));
            final MemorySegment part = MemorySegment.ofArray(bytes);
            for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
                final int at = 16 + i * MapNodeDescriptor.ENTRY_LENGTH;
                if (Fields.longAt(part, at) != 0 || i == MapNodeDescriptor.FANOUT - 1) {
                    fields.add(new Place.Field(at, Long.BYTES));
                    fields.add(new Place.Field(Math.min(at + 8, 16 + 4088), Long.BYTES));
                    if (bytes.length > 16 + StoredNode.BIRTHS_OFFSET) {
                        fields.add(new Place.Field(16 + StoredNode.BIRTHS_OFFSET + i * Integer.BYTES, Integer.BYTES));
                    }
                }
            }
            return fields;
        }

        /** Words, and halves of them at their offset. */
        static List<Place.Field> every(int end, int step) {
            final List<Place.Field> fields = new ArrayList<>();
            IntStream.iterate(0, at -> at + 8 <= end, at -> at + step).forEach(at -> {
                fields.add(new Place.Field(at, 8));
                fields.add(new Place.Field(at, 4));
                fields.add(new Place.Field(at + 4, 4));
                fields.add(new Place.Field(at + 6, 2));
                fields.add(new Place.Field(at, 1));
            });
            return fields;
        }
    }
}
