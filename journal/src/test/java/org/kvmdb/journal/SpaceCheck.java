package org.kvmdb.journal;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;

/** Recomputes from the maps what the segment table and the space account hold. */
final class SpaceCheck {

    private final JournalParts parts;
    private final MapWalk walk;
    private final HolderSearch search;
    private final BlockReader reader;
    private final int[] live;

    private SpaceCheck(JournalParts parts) {
        this.parts = parts;
        walk = new MapWalk(
                parts.arena(),
                new MapLoader(parts.device(), parts.segments(), parts.arena(), LoadListener.STRICT));
        search = new HolderSearch(parts.catalog(), walk, parts.arena());
        reader = new BlockReader(parts.device(), parts.segments());
        live = new int[parts.segments().count()];
    }

    /** Of a store in which nothing is being written. */
    static void check(Journal journal) {
        final SpaceCheck check = new SpaceCheck(journal.parts());
        for (Version version : journal.versions().all()) {
            check.addOwn(version);
            if (!version.isDeleted()) {
                check.compareReferenced(version);
            }
        }
        check.parts.map().deaths().forEach(check::add);
        check.compareEntries();
        check.compareLive();
        check.compareAvailable(journal);
        check.compareNodes(journal);
    }

    /** What is own to a version; over all versions, each block once. */
    private void addOwn(Version version) {
        walk.own(version, 0, Integer.MAX_VALUE, new MapWalk.Visitor() {
            @Override
            public void page(long lpn, long ppn) {
                add(ppn);
                // Only of a page that was stolen the eldest may not be the one.
                final Version found = search.ofPage(version.familyId(), lpn, ppn, birthMin(ppn), false);
                if (found != version
                        && search.ofPage(version.familyId(), lpn, ppn, birthMin(ppn), true) != version) {
                    throw new AssertionError("page %d of %s is own to it, found %s".formatted(lpn, version.name(), found));
                }
            }

            @Override
            public void node(int level, long lpn, long entry) {
                final long ppn = parts.arena().storedAt(entry);
                if (ppn != 0) {
                    add(ppn);
                }
                final boolean isStored = ppn != 0
                        && !(MapNodeDescriptor.isInMemory(entry)
                                && parts.arena().isDirty(MapNodeDescriptor.childNode(entry)));
                if (isStored && search.ofNode(version.familyId(), level, lpn, ppn, birthMin(ppn)) != version) {
                    throw new AssertionError("node %d of %s, level %d, is own to it, found %s".formatted(
                            lpn, version.name(), level,
                            search.ofNode(version.familyId(), level, lpn, ppn, birthMin(ppn))));
                }
            }
        });
    }

    /** The birth in the header of a block. */
    private int birthMin(long ppn) {
        return StoredNode.birth(reader.readRaw(parts.segments().resolve(ppn)));
    }

    /** What checkpoints keep room for goes by the catalog's sum. */
    private void compareEntries() {
        final long sum = parts.catalog().versions().stream()
                .mapToLong(MetadataCodec.VersionImage::length)
                .sum();
        if (sum != parts.catalog().entryBytes()) {
            throw new AssertionError("entries take %d bytes, the catalog says %d".formatted(sum, parts.catalog().entryBytes()));
        }
    }

    private void compareReferenced(Version version) {
        final long[] found = new long[2];
        walk.diff(null, version, 0, Integer.MAX_VALUE, (lpn, none, ppn) -> {
            found[0]++;
            found[1] += Ppn.lengthBytes(ppn);
        });
        if (found[0] != version.referencedPages() || found[1] != version.referencedBytes()) {
            throw new AssertionError("%s refers to %d pages in %d bytes, its entry says %d in %d".formatted(
                    version.name(), found[0], found[1], version.referencedPages(), version.referencedBytes()));
        }
    }

    /** Every node in memory is one that some version needs. */
    private void compareNodes(Journal journal) {
        final Set<Integer> nodes = new HashSet<>();
        for (Version version : journal.versions().all()) {
            if (version.mapRoot() != 0) {
                collect(version.mapRoot(), MapNodeDescriptor.HEIGHT - 1, nodes);
            }
        }
        if (nodes.size() != parts.arena().count()) {
            throw new AssertionError("%d nodes are in memory, %d are needed".formatted(parts.arena().count(), nodes.size()));
        }
    }

    private void collect(int node, int level, Set<Integer> into) {
        if (!into.add(node)) {
            return;
        }
        for (int i = 0; level > 0 && i < MapNodeDescriptor.FANOUT; i++) {
            final long entry = parts.arena().entry(node, i);
            if (MapNodeDescriptor.isInMemory(entry)) {
                collect(MapNodeDescriptor.childNode(entry), level - 1, into);
            }
        }
    }

    private void add(long name) {
        final long ppn = parts.segments().resolve(name);
        live[Ppn.segment(ppn)] += Ppn.lengthBytes(ppn);
    }

    private void compareLive() {
        final SegmentTable segments = parts.segments();
        if (!Arrays.equals(live, segments.liveCopy())) {
            throw new AssertionError("live bytes: recomputed=%s stored=%s"
                    .formatted(Arrays.toString(live), Arrays.toString(segments.liveCopy())));
        }
        if (segments.liveBytes() != Arrays.stream(live).asLongStream().sum()) {
            throw new AssertionError("sum of live bytes: " + segments.liveBytes());
        }
        for (int i = 0; i < live.length; i++) {
            if (live[i] != 0 && segments.state(i) == SegmentState.FREE) {
                throw new AssertionError("segment %d is free and holds %d live bytes".formatted(i, live[i]));
            }
        }
    }

    private void compareAvailable(Journal journal) {
        final SegmentTable segments = parts.segments();
        final int holes = segments.free().holeCount(); // first, since this takes in what was filled by growing
        final long grown = (journal.space().grantedBytes() - SuperblockDescriptor.SEGMENTS_OFFSET)
                / segments.segmentSizeBytes() - segments.count();
        final long expected = (segments.free().count() + grown) * segments.segmentSizeBytes()
                - parts.counters().reserveBytes;
        if (journal.space().availableBytes() != expected) {
            throw new AssertionError("available: recomputed=%d account=%d free=%d grown=%d reserve=%d".formatted(
                    expected, journal.space().availableBytes(), segments.free().count(), grown,
                    parts.counters().reserveBytes));
        }
        final int free = segments.countOf(SegmentState.FREE);
        if (segments.free().count() + holes != free) {
            throw new AssertionError("free lists hold %d + %d segments, %d are free"
                    .formatted(segments.free().count(), holes, free));
        }
    }
}
