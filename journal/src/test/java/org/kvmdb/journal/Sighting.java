package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.kvmdb.ffi.ErrorCode;
import org.kvmdb.ffi.StorageException;

/**
 * What a store shows when some of its pages may be bad: all that it holds, but for pages that were refused with a typed
 * error. A page that is shown and is not of its place is an {@link AssertionError}.
 */
final class Sighting {

    private static final Set<ErrorCode> BAD = EnumSet.of(ErrorCode.CORRUPT_PAGE, ErrorCode.CORRUPT_STORE, ErrorCode.IO);

    private final Map<String, StoreModel.Volume> volumes = new TreeMap<>();
    private final Map<String, Set<Long>> badPages = new HashMap<>();
    /** Volumes and snapshots whose map could not be walked to its end. */
    private final Set<String> badMaps = new HashSet<>();

    static Sighting of(Journal journal) {
        final Sighting sighting = new Sighting();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment memory = arena.allocate(1 << 16, 64);
            for (Version entry : journal.versions().all()) {
                final boolean isHidden = entry instanceof VolumeEntry volume && volume.isHidden();
                if (!entry.isDeleted() && !isHidden) {
                    sighting.look(journal, entry, memory.asSlice(0, 1L << entry.pageShift()));
                }
            }
        }
        return sighting;
    }

    private void look(Journal journal, Version entry, MemorySegment page) {
        final StoreModel.Volume volume = new StoreModel.Volume(entry.sizeBytes(), entry.pageShift(), entry.lsn());
        final Set<Long> bad = new HashSet<>();
        volumes.put(entry.name(), volume);
        badPages.put(entry.name(), bad);
        try {
            journal.versions().diff(null, entry, 0, Integer.MAX_VALUE, (lpn, ppn) -> {
                try {
                    journal.versions().readPage(entry, lpn, page);
                    volume.pages.put(lpn, PageContent.version(page, StoreModel.contentOf(entry), lpn));
                } catch (StorageException e) {
                    checkTyped(e);
                    bad.add(lpn);
                }
            });
        } catch (StorageException e) {
            checkTyped(e);
            badMaps.add(entry.name());
        }
    }

    private static void checkTyped(StorageException e) {
        if (!BAD.contains(e.code())) {
            throw new AssertionError("a page was refused with %s: %s".formatted(e.code(), e.getMessage()), e);
        }
    }

    /** Whether all of it was readable. */
    boolean isWhole() {
        return badMaps.isEmpty() && badPages.values().stream().allMatch(Set::isEmpty);
    }

    /** The newest commit whose state that can be, between the two given; -1 when there is none. */
    int commitOf(StoreModel model, int from, int to) {
        for (int commit = to; commit >= from; commit--) {
            if (isOf(model.state(commit))) {
                return commit;
            }
        }
        return -1;
    }

    private boolean isOf(Map<String, StoreModel.Volume> state) {
        return state.keySet().equals(volumes.keySet())
                && state.entrySet().stream().allMatch(entry -> isOf(entry.getKey(), entry.getValue()));
    }

    private boolean isOf(String name, StoreModel.Volume expected) {
        final StoreModel.Volume found = volumes.get(name);
        if (found.sizeBytes != expected.sizeBytes
                || found.pageShift != expected.pageShift
                || found.lsn != expected.lsn) {
            return false;
        }
        if (isWhole()) {
            return found.pages.equals(expected.pages);
        }
        final boolean isFoundRight = found.pages.entrySet().stream()
                .allMatch(page -> page.getValue().equals(expected.pages.get(page.getKey())));
        return isFoundRight
                && (badMaps.contains(name)
                        || expected.pages.keySet().stream()
                                .allMatch(lpn -> found.pages.containsKey(lpn) || badPages.get(name).contains(lpn)));
    }

    @Override
    public String toString() {
        return "%s bad pages: %s bad maps: %s".formatted(volumes, badPages, badMaps);
    }
}
