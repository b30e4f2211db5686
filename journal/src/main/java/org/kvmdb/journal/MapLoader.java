package org.kvmdb.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kvmdb.ffi.BlockDescriptor;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.StorageException;

/**
 * Reads map nodes from the device: whole maps into the arena, where what versions share is once, or single nodes. Everything
 * read is taken for hostile.
 */
final class MapLoader {

    private static final int READ_BYTES_MAX = 1 << 20;

    private final Device device;
    private final SegmentTable segments;
    private final NodeArena arena;
    private final BlockReader reader;
    private final LoadListener listener;
    /** Where the last plausible locator lay. */
    private int segmentInUse = -1;

    /** What was read with a node and holds its neighbours; no larger than what a level ever needed. */
    private MemorySegment window;
    private long windowStart;
    private long windowEnd;
    private int birthRead;

    /** A node to be read into the arena. */
    private record Pending(long ppn, long lpn, int node) {}

    MapLoader(Device device, SegmentTable segments, NodeArena arena, LoadListener listener) {
        this.device = device;
        this.segments = segments;
        this.arena = arena;
        this.listener = listener;
        reader = new BlockReader(device, segments);
    }

    /** Loads a version's map, level by level, the nodes of a level in the order of their place; returns the root, held once. */
    int load(Version version, int generation) {
        segmentInUse = -1;
        final long rootPpn = version.storedRoot();
        final int shared = arena.nodeStoredAt(
                rootPpn, NodeIdentity.packed(version.familyId(), PageMap.TOP, 0));
        if (shared != 0) {
            arena.hold(shared);
            return shared;
        }
        final int root = arena.allocate(PageMap.TOP, 0, generation);
        try (Arena memory = Arena.ofConfined()) {
            window = MemorySegment.NULL;
            final MemorySegment image = memory.allocate(1 << StoredNode.LONG_SHIFT, 64);
            List<Pending> level = List.of(new Pending(rootPpn, 0, root));
            for (int height = PageMap.TOP; height >= 0; height--) {
                level = loadLevel(version, height, level, generation, memory, image);
            }
            return root;
        } catch (RuntimeException | Error e) {
            arena.release(root);
            throw e;
        }
    }

    /** Returns the nodes of the next level that are to be read. */
    private List<Pending> loadLevel(
            Version version, int level, List<Pending> nodes, int generation, Arena memory, MemorySegment image) {
        final Pending[] byPlace = nodes.toArray(Pending[]::new);
        Arrays.sort(byPlace, (a, b) -> Long.compareUnsigned(a.ppn, b.ppn));
        final long levelEnd = nodes.isEmpty() ? 0 : endOf(byPlace[byPlace.length - 1].ppn);
        final List<Pending> children = new ArrayList<>();
        windowStart = 0;
        windowEnd = 0;
        for (Pending pending : byPlace) {
            final long place = isPlausibleNode(pending.ppn) ? segments.resolve(pending.ppn) : 0;
            if (place != 0) {
                moveWindow(place, levelEnd, memory);
            }
            final boolean isDone = place != 0 && level == 0 && loadLeaf(version, pending, place);
            final String wrong = isDone ? null : readThroughWindow(version, level, pending, place, memory, image);
            arena.markStored(pending.node, pending.ppn, NodeIdentity.packed(version.familyId(), level, pending.lpn));
            if (isDone) {
                continue;
            }
            if (wrong == null) {
                adopt(version, level, pending, generation, image, children);
            } else {
                arena.memory(pending.node).fill((byte) 0);
                arena.birth(pending.node, version.ownBirth());
                listener.badNode(version, level, pending.lpn, pending.ppn, wrong);
            }
        }
        return children;
    }

    /** Nearly all nodes are leaves with nothing odd about them: the shim loads these. False, with nothing done: not this one. */
    private boolean loadLeaf(Version version, Pending pending, long place) {
        final MemorySegment block = inWindow(place);
        final int birth = block == null
                ? 0
                : segments.loadLeaf(
                        arena.memory(pending.node), block, place, pending.lpn, NodeIdentity.family(version.familyId(), 0),
                        version.pageCount() - pending.lpn);
        if (birth != 0) {
            arena.birth(pending.node, birth);
        }
        return birth != 0;
    }

    /**
     * Reads a node through the window that its neighbours were read with, and which it lies in already; null, or what is wrong.
     *
     * @param place 0: no block can lie there
     */
    private String readThroughWindow(
            Version version, int level, Pending pending, long place, Arena memory, MemorySegment image) {
        if (place == 0) {
            return "no block can lie there";
        }
        String wrong = decodeInWindow(version, level, pending.lpn, place, image);
        if (wrong != null) {
            readWindowBeneathCache(positionOf(place), Ppn.lengthBytes(place), memory); // what is wrong is read again, once
            wrong = decodeInWindow(version, level, pending.lpn, place, image);
        }
        if (wrong != null) {
            return wrong;
        }
        final MemorySegment block = inWindow(place);
        final int node = pending.node;
        arena.birth(node, StoredNode.birth(block));
        if (StoredNode.pageShift(block) == StoredNode.LONG_SHIFT) {
            arena.mixBirths(node, 0);
            MemorySegment.copy(image, StoredNode.BIRTHS_OFFSET, arena.births(node), 0, NodeArena.BIRTHS_LENGTH);
        }
        return null;
    }

    /** Where a block ends on the device; 0 when none can lie there. */
    private long endOf(long ppn) {
        if (!isPlausibleNode(ppn)) {
            return 0;
        }
        final long place = segments.resolve(ppn);
        return positionOf(place) + Ppn.lengthBytes(place);
    }

    private long positionOf(long place) {
        return segments.position(Ppn.segment(place)) + Ppn.offsetBytes(place);
    }

    /** Has the window hold a block, unless the device ends before, and what follows it on its level. */
    private void moveWindow(long place, long levelEnd, Arena memory) {
        final long position = positionOf(place);
        final int length = Ppn.lengthBytes(place);
        if (position < windowStart || position + length > windowEnd) {
            readWindow(position, Math.max(length, Math.min(READ_BYTES_MAX, levelEnd - position)), memory);
        }
    }

    /** Null where the device ends before. */
    private MemorySegment inWindow(long place) {
        final long position = positionOf(place);
        final int length = Ppn.lengthBytes(place);
        return position + length > windowEnd ? null : window.asSlice(position - windowStart, length);
    }

    private void readWindow(long position, long lengthBytes, Arena memory) {
        beginWindow(position, lengthBytes, memory);
        windowEnd += WholeReads.read(device, position, window.asSlice(0, lengthBytes));
    }

    /** What is wrong in the system's cache would come again. The window is then of whole units. */
    private void readWindowBeneathCache(long position, long lengthBytes, Arena memory) {
        final long begin = position & -BatchDescriptor.UNIT_BYTES;
        final long length = Fields.alignUp(position + lengthBytes, BatchDescriptor.UNIT_BYTES) - begin;
        beginWindow(begin, length, memory);
        windowEnd += WholeReads.readDurable(device, begin, window.asSlice(0, length));
    }

    private void beginWindow(long position, long lengthBytes, Arena memory) {
        if (window.byteSize() < lengthBytes) {
            window = memory.allocate(lengthBytes, BatchDescriptor.UNIT_BYTES);
        }
        windowStart = position;
        windowEnd = position; // nothing, if reading throws
    }

    private String decodeInWindow(Version version, int level, long lpn, long place, MemorySegment image) {
        final MemorySegment block = inWindow(place);
        return block == null ? BlockReader.ENDS_WITHIN : decode(version, level, lpn, place, block, image);
    }

    private boolean isPlausibleNode(long ppn) {
        return segments.isPlausible(ppn) && Ppn.lengthBytes(ppn) <= BlockEncoder.blockLengthMax(StoredNode.LONG_SHIFT);
    }

    private String decode(Version version, int level, long lpn, long ppn, MemorySegment block, MemorySegment image) {
        final int segment = Ppn.segment(ppn);
        final int shift = StoredNode.pageShift(block);
        final String wrong = reader.verify(
                block, segments.salt(segment), segments.generation(segment), ppn, BlockDescriptor.TYPE_MAP_NODE, lpn,
                NodeIdentity.family(version.familyId(), level), image, shift == 0 ? StoredNode.SHORT_SHIFT : shift);
        return wrong != null ? wrong : checkBirths(block, image, shift);
    }

    /** Nothing in a node is younger than the node, and nothing is of no time. */
    private static String checkBirths(MemorySegment block, MemorySegment image, int shift) {
        final int birth = StoredNode.birth(block);
        if (birth <= 0) {
            return "map node of an impossible birth: " + birth;
        }
        for (int i = 0; shift == StoredNode.LONG_SHIFT && i < MapNodeDescriptor.FANOUT; i++) {
            final int entryBirth = StoredNode.entryBirth(image, i);
            if (entryBirth < 0 || entryBirth > birth || entryBirth == 0 && StoredNode.entry(image, i) != 0) {
                return "map node of birth %d has an entry of birth %d".formatted(birth, entryBirth);
            }
        }
        return null;
    }

    /**
     * Enters into a node what its image names: PPNs of pages; of nodes those that are in memory already, or new ones to be read.
     * An entry that is not believed never gets into memory, where its bits would mean something else.
     */
    private void adopt(
            Version version, int level, Pending pending, int generation, MemorySegment image, List<Pending> children) {
        final int index = pending.node;
        final long pages = version.pageCount();
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
            final long entry = StoredNode.entry(image, i);
            if (entry == 0) {
                continue;
            }
            final long lpn = pending.lpn + ((long) i << NodeIdentity.shift(level));
            if (lpn >= pages || !isPlausible(entry)) {
                listener.badEntry(version, level, lpn, entry, pending.ppn);
            } else if (level == 0) {
                arena.replaceEntry(index, i, entry);
            } else {
                final int shared =
                        arena.nodeStoredAt(entry, NodeIdentity.packed(version.familyId(), level - 1, lpn));
                final int child = shared != 0 ? shared : arena.allocate(level - 1, 0, generation);
                if (shared != 0) {
                    arena.hold(shared);
                } else {
                    children.add(new Pending(entry, lpn, child));
                }
                arena.replaceEntry(index, i, MapNodeDescriptor.childEntry(child));
            }
        }
    }

    /** Neighbours mostly lie in one segment, whose state need not be looked at again. */
    private boolean isPlausible(long ppn) {
        if (!segments.fits(ppn)) {
            return false;
        }
        final int segment = Ppn.segment(ppn);
        if (segment != segmentInUse && segments.isInUse(segment)) {
            segmentInUse = segment;
        }
        return segment == segmentInUse || segments.remaps().contains(ppn);
    }

    // ---- single nodes ----

    /**
     * Reads one stored node; false, with the image empty and the listener told, when it cannot be had.
     *
     * @param image room for the long form; births are filled in for the short one, too
     */
    boolean read(Version version, int level, long lpn, long ppn, MemorySegment image) {
        String wrong = "no block can lie there";
        if (isPlausibleNode(ppn)) {
            MemorySegment block = null;
            final long place = segments.resolve(ppn);
            for (int i = 0; i < 2 && wrong != null; i++) { // what fails or is wrong is read again, once
                try {
                    block = i == 0 ? reader.readRaw(place) : reader.readRawBeneathCache(place);
                    wrong = block == null
                            ? BlockReader.ENDS_WITHIN
                            : decode(version, level, lpn, place, block, image);
                } catch (StorageException e) {
                    wrong = e.getMessage();
                }
            }
            if (wrong == null && StoredNode.pageShift(block) == StoredNode.SHORT_SHIFT) {
                for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
                    Fields.putInt(
                            image, StoredNode.BIRTHS_OFFSET + (long) i * Integer.BYTES, StoredNode.birth(block));
                }
            }
            birthRead = wrong == null ? StoredNode.birth(block) : 0;
        }
        if (wrong == null) {
            checkEntries(version, level, lpn, ppn, image);
            return true;
        }
        image.fill((byte) 0);
        birthRead = version.ownBirth();
        listener.badNode(version, level, lpn, ppn, wrong);
        return false;
    }

    private void checkEntries(Version version, int level, long base, long ppn, MemorySegment image) {
        segmentInUse = -1;
        for (int i = 0; i < MapNodeDescriptor.FANOUT; i++) {
            final long entry = StoredNode.entry(image, i);
            final long lpn = base + ((long) i << NodeIdentity.shift(level));
            // What a deletion has passed may be gone, or another version's to change.
            final boolean isPassed = lpn + (1L << NodeIdentity.shift(level)) <= version.dropCursor();
            if (entry != 0 && (isPassed || lpn >= version.pageCount() || !isPlausible(entry))) {
                Fields.putLong(image, (long) i * MapNodeDescriptor.ENTRY_LENGTH, 0);
                if (!isPassed) {
                    listener.badEntry(version, level, lpn, entry, ppn);
                }
            }
        }
    }

    /** Birth of the node that {@link #read} read last. */
    int birthRead() {
        return birthRead;
    }
}
