package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.kvmdb.journal.simulation.CampaignTally;

/** What a store holds, naively: volumes by name, versions of pages by LPN; and as it was after each commit. */
public final class StoreModel {

    private static final String RECEIVED = "of";

    /** A volume. Pages that are holes are not in the map. */
    public static final class Volume {
        long sizeBytes;
        int pageShift;
        long lsn;
        long quotaBytes;
        final TreeMap<Long, Long> pages = new TreeMap<>();

        Volume(long sizeBytes, int pageShift, long lsn) {
            this.sizeBytes = sizeBytes;
            this.pageShift = pageShift;
            this.lsn = lsn;
        }

        Volume copy() {
            final Volume copy = withoutQuota();
            copy.quotaBytes = quotaBytes;
            return copy;
        }

        /** As a snapshot has it. */
        Volume withoutQuota() {
            final Volume copy = new Volume(sizeBytes, pageShift, lsn);
            copy.pages.putAll(pages);
            return copy;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Volume volume
                    && volume.sizeBytes == sizeBytes
                    && volume.pageShift == pageShift
                    && volume.lsn == lsn
                    && volume.quotaBytes == quotaBytes
                    && volume.pages.equals(pages);
        }

        @Override
        public int hashCode() {
            return pages.hashCode();
        }

        @Override
        public String toString() {
            return "size=%d shift=%d lsn=%d quota=%d %s".formatted(sizeBytes, pageShift, lsn, quotaBytes, pages);
        }
    }

    private final List<Map<String, Volume>> states = new ArrayList<>();
    private final List<Long> contentHashes = new ArrayList<>();
    private final TreeMap<String, Volume> now = new TreeMap<>();

    public StoreModel() {
        states.add(Map.of());
    }

    /** With the states of all commits, which are shared: they do not change. */
    StoreModel copy() {
        final StoreModel copy = new StoreModel();
        copy.states.clear();
        copy.states.addAll(states);
        now.forEach((name, volume) -> copy.now.put(name, volume.copy()));
        return copy;
    }

    /** A model whose commit 0 is that. */
    static StoreModel of(Map<String, Volume> content) {
        final StoreModel model = new StoreModel();
        model.states.set(0, content);
        model.cutTo(0);
        return model;
    }

    /** The state that the next commit is made of. */
    public TreeMap<String, Volume> now() {
        return now;
    }

    /** Number of the commit that {@link #committed} will give. */
    public int nextCommit() {
        return states.size();
    }

    /** Keeps the state as that of the next commit. */
    public void committed() {
        final Map<String, Volume> copy = new TreeMap<>();
        now.forEach((name, volume) -> copy.put(name, volume.copy()));
        states.add(copy);
    }

    /** The last commit never happened, as a recovery found. */
    public void cutTo(int commit) {
        states.subList(commit + 1, states.size()).clear();
        if (contentHashes.size() > commit + 1) {
            contentHashes.subList(commit + 1, contentHashes.size()).clear();
        }
        now.clear();
        states.get(commit).forEach((name, volume) -> now.put(name, volume.copy()));
    }

    public Map<String, Volume> state(int commit) {
        return states.get(commit);
    }

    /** Hash of all that a commit left. */
    long contentHash(int commit) {
        while (contentHashes.size() <= commit) {
            contentHashes.add(hashOf(states.get(contentHashes.size())));
        }
        return contentHashes.get(commit);
    }

    private static long hashOf(Map<String, Volume> content) {
        long hash = 1;
        for (Map.Entry<String, Volume> entry : content.entrySet()) {
            final Volume volume = entry.getValue();
            hash = CampaignTally.mix(hash ^ entry.getKey().hashCode());
            hash = CampaignTally.mix(hash ^ volume.sizeBytes) + CampaignTally.mix(volume.lsn ^ volume.quotaBytes << 32);
            hash = CampaignTally.mix(hash ^ volume.pageShift);
            for (Map.Entry<Long, Long> page : volume.pages.entrySet()) {
                hash = CampaignTally.mix(CampaignTally.mix(hash ^ page.getKey()) ^ page.getValue());
            }
        }
        return hash;
    }

    public int lastCommit() {
        return states.size() - 1;
    }

    /** Reads all of a store, snapshots as volumes named {@code volume@snapshot}; fails on a page that is not of its place. */
    public static Map<String, Volume> read(Journal journal) {
        final Map<String, Volume> result = new TreeMap<>();
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment memory = arena.allocate(1 << 16, 64);
            for (Version entry : journal.versions().all()) {
                final boolean isHidden = entry instanceof VolumeEntry volume && volume.isHidden();
                if (!entry.isDeleted() && !isHidden) {
                    result.put(entry.name(), read(journal, entry, memory.asSlice(0, 1L << entry.pageShift())));
                }
            }
        }
        return result;
    }

    /** What pages of a version say that they are of: its family, or that which a received volume has in its name. */
    static long contentOf(Version entry) {
        return entry.name().startsWith(RECEIVED)
                ? Long.parseLong(entry.name().substring(RECEIVED.length(), entry.name().indexOf('-')))
                : entry.familyId();
    }

    /** Name of a volume that is received, or cloned, from a version. */
    static String nameFrom(Version origin, String name) {
        return RECEIVED + contentOf(origin) + '-' + name;
    }

    private static Volume read(Journal journal, Version entry, MemorySegment page) {
        final Volume volume = new Volume(entry.sizeBytes(), entry.pageShift(), entry.lsn());
        volume.quotaBytes = entry instanceof VolumeEntry head ? head.quotaBytes() : 0;
        journal.versions().diff(null, entry, 0, Integer.MAX_VALUE, (lpn, ppn) -> {
            journal.versions().readPage(entry, lpn, page);
            volume.pages.put(lpn, PageContent.version(page, contentOf(entry), lpn));
        });
        return volume;
    }

    /** The commit whose state that is, between the two given; fails when there is none. */
    public int commitOf(Map<String, Volume> found, int acked, int issued) {
        for (int commit = issued; commit >= Math.max(0, acked); commit--) {
            if (states.get(commit).equals(found)) {
                return commit;
            }
        }
        for (int commit = 0; commit < states.size(); commit++) {
            if (states.get(commit).equals(found)) {
                throw new AssertionError("recovered commit %d, where %d was acknowledged and %d issued"
                        .formatted(commit, acked, issued));
            }
        }
        throw new AssertionError("recovered no state of commit order, acked=%d issued=%d\nfound=%s\nacked=%s\nissued=%s"
                .formatted(acked, issued, found, states.get(Math.max(0, acked)), states.get(issued)));
    }
}
