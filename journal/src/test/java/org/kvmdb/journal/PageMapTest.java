package org.kvmdb.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.kvmdb.ffi.MapNodeDescriptor;
import org.kvmdb.ffi.Ppn;
import org.kvmdb.ffi.SpaceAccount;

/** The map against a sorted one, with checkpoints cut into it: what was frozen stays as it was. */
class PageMapTest {

    private static final int SEGMENTS = 4;
    private static final long SIZE_BYTES = MapNodeDescriptor.LPN_LIMIT << 12;

    /** A step; LPNs are few and far apart, so that nodes of all levels come and go. */
    record Step(int kind, long lpn, long length, int place) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        final Arbitrary<Long> lpns = Arbitraries.oneOf(
                Arbitraries.longs().between(0, 6),
                Arbitraries.longs().between(508, 516),
                Arbitraries.longs().between((1 << 18) - 3, (1 << 18) + 3),
                Arbitraries.longs().between((1L << 27) - 2, (1L << 27) + 2),
                Arbitraries.longs().between(MapNodeDescriptor.LPN_LIMIT - 3, MapNodeDescriptor.LPN_LIMIT - 1));
        final Arbitrary<Long> lengths =
                Arbitraries.of(1L, 3L, 512L, 1L << 18, (1L << 18) + 5, 1L << 27, MapNodeDescriptor.LPN_LIMIT);
        final Arbitrary<Step> step = Combinators.combine(
                        Arbitraries.integers().between(0, 9), lpns, lengths, Arbitraries.integers().between(1, 900))
                .as(Step::new);
        return step.list().ofMaxSize(60);
    }

    private static final class Subject implements AutoCloseable {
        private final SpaceAccount space = new SpaceAccount(1 << 20, 1 << 30, 1 << 20, 1 << 20, -1);
        private final MemoryDevice device = new MemoryDevice("map");
        private final SegmentTable segments = new SegmentTable(device, 1 << 20, space);
        private final NodeArena arena = new NodeArena();
        private final MapLoader loader = new MapLoader(device, segments, arena, LoadListener.STRICT);
        private final PageMap map = new PageMap(arena, segments, loader);
        private final MapWalk walk = new MapWalk(arena, loader);
        private final VolumeEntry volume = new VolumeEntry(1, "v", SIZE_BYTES, 12, 1, 0);
        private final TreeMap<Long, Long> model = new TreeMap<>();
        private TreeMap<Long, Long> frozen;
        private int frozenRoot;
        private long storedNodes = 1 << 12;

        Subject() {
            for (int i = 0; i < SEGMENTS; i++) {
                segments.load(1, i, SegmentState.FULL, 0, SegmentTable.WRITTEN, 0);
            }
            map.newRoot(volume);
        }

        void run(Step step) {
            switch (step.kind) {
                case 0, 1, 2, 3 -> set(step.lpn, Ppn.pack(step.place % SEGMENTS, step.place * 64, 64));
                case 4 -> set(step.lpn, 0);
                case 5 -> {
                    final long end = Math.min(step.lpn + step.length, MapNodeDescriptor.LPN_LIMIT);
                    map.trim(volume, step.lpn, end);
                    model.subMap(step.lpn, end).clear();
                }
                case 6 -> {
                    map.resize(volume, step.lpn << 12);
                    model.tailMap(step.lpn).clear();
                    map.resize(volume, SIZE_BYTES);
                }
                case 7, 8 -> {
                    thaw();
                    map.cut();
                    frozen = new TreeMap<>(model);
                    frozenRoot = volume.mapRoot();
                    arena.hold(frozenRoot);
                }
                default -> thaw();
            }
            check();
        }

        private void set(long lpn, long ppn) {
            final Long old = model.get(lpn);
            assertEquals(old == null ? 0 : old, map.set(volume, lpn, ppn));
            if (ppn == 0) {
                model.remove(lpn);
            } else {
                model.put(lpn, ppn);
            }
        }

        /** As a checkpoint does: stores what is dirty of the frozen tree, then lets it go. */
        private void thaw() {
            if (frozen != null) {
                store(frozenRoot, MapNodeDescriptor.HEIGHT - 1);
                map.thaw();
                arena.release(frozenRoot);
                frozen = null;
            }
        }

        private void store(int node, int level) {
            if (!arena.isDirty(node)) {
                return;
            }
            for (int i = 0; level > 0 && i < MapNodeDescriptor.FANOUT; i++) {
                if (arena.entry(node, i) != 0) {
                    store(MapNodeDescriptor.childNode(arena.entry(node, i)), level - 1);
                }
            }
            arena.markStored(node, storedNodes++ << Ppn.SEGMENT_SHIFT >> 10 & -128 | 128, 0);
        }

        private void check() {
            assertEquals(model, contents(volume.mapRoot()));
            if (frozen != null) {
                assertEquals(frozen, contents(frozenRoot));
            }
            model.forEach((lpn, ppn) -> assertEquals(ppn, map.get(volume.mapRoot(), lpn)));
            final long live = model.values().stream().mapToLong(Ppn::lengthBytes).sum();
            assertEquals(live, segments.liveBytes());
            if (frozen == null) {
                final List<Integer> nodes = new ArrayList<>();
                collect(volume.mapRoot(), MapNodeDescriptor.HEIGHT - 1, nodes);
                assertEquals(nodes.size(), arena.count());
                assertEquals(nodes.stream().filter(arena::isDirty).count(), arena.dirtyCount());
            }
        }

        private void collect(int node, int level, List<Integer> into) {
            into.add(node);
            for (int i = 0; level > 0 && i < MapNodeDescriptor.FANOUT; i++) {
                if (arena.entry(node, i) != 0) {
                    collect(MapNodeDescriptor.childNode(arena.entry(node, i)), level - 1, into);
                }
            }
        }

        private TreeMap<Long, Long> contents(int root) {
            final TreeMap<Long, Long> result = new TreeMap<>();
            final VolumeEntry version = new VolumeEntry(2, "contents", SIZE_BYTES, 12, 1, 0);
            version.mapRoot(root);
            walk.diff(null, version, 0, Integer.MAX_VALUE, (lpn, none, ppn) -> assertTrue(result.put(lpn, ppn) == null));
            return result;
        }

        @Override
        public void close() {
            arena.close();
            segments.close();
            space.close();
            device.close();
        }
    }

    @Property(tries = 300, seed = "4711", edgeCases = EdgeCasesMode.NONE)
    void shouldHoldWhatASortedMapHolds(@ForAll("steps") List<Step> steps) {
        try (Subject subject = new Subject()) {
            steps.forEach(subject::run);
        }
    }
}
