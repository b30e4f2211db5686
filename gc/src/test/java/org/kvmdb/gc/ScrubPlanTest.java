package org.kvmdb.gc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class ScrubPlanTest {

    private static final int PAGES = 24;

    /** A tree of versions that keeps whole contents: block numbers by LPN, 0 for a hole. */
    private static final class Tree {
        private final Map<Integer, Node> nodes = new TreeMap<>();
        private int nextId = 1;
        private int nextBlock = 1;

        private static final class Node {
            private int id;
            private Node parent;
            private Node volume;
            private boolean deleted;
            private int dropCursor;
            private int[] content = new int[PAGES];
        }

        Node add(Node parent, Node volume, int[] content) {
            final Node node = new Node();
            node.id = nextId++;
            node.parent = parent;
            node.volume = volume;
            node.content = content.clone();
            nodes.put(node.id, node);
            return node;
        }

        void write(Node head, int lpn) {
            head.content[lpn] = nextBlock++;
        }

        Node snapshot(Node head) {
            final Node result = add(head.parent, head, head.content);
            head.parent = result;
            return result;
        }

        /** The head begins anew at one of its snapshots; what it held is a version of its own, deleted. */
        void rollback(Node head, Node snapshot) {
            add(head.parent, null, head.content).deleted = true;
            head.parent = snapshot;
            head.content = snapshot.content.clone();
        }

        List<Node> children(Node node) {
            return nodes.values().stream().filter(other -> other.parent == node).toList();
        }

        /** Drops some pages of a version that is deleted and has one child at most. */
        void drop(Node node, int pages) {
            node.dropCursor += pages;
            if (node.dropCursor >= PAGES) {
                nodes.remove(node.id);
                children(node).forEach(child -> child.parent = node.parent);
            }
        }

        private static int inherited(Node parent, int lpn) {
            Node at = parent;
            while (at != null && lpn < at.dropCursor) {
                at = at.parent;
            }
            return at == null ? 0 : at.content[lpn];
        }

        boolean isOwn(Node node, int lpn) {
            return node.content[lpn] != 0 && lpn >= node.dropCursor
                    && inherited(node.parent, lpn) != node.content[lpn];
        }

        /** All blocks that something refers to that is not on its way out. */
        Set<Integer> live() {
            final Set<Integer> result = new HashSet<>();
            for (Node node : nodes.values()) {
                if (!node.deleted || !children(node).isEmpty()) {
                    for (int lpn = 0; lpn < PAGES; lpn++) {
                        if (isOwn(node, lpn)) {
                            result.add(node.content[lpn]);
                        }
                    }
                }
            }
            return result;
        }

        List<ScrubPlan.Member> members() {
            return nodes.values().stream()
                    .map(node -> new ScrubPlan.Member(
                            node.id, node.parent == null ? 0 : node.parent.id, node.volume == null ? 0 : node.volume.id,
                            7, node.volume == null ? 0 : 1000 + node.id, node.deleted))
                    .toList();
        }
    }

    private static final class Reader {
        private final Tree tree;
        private ScrubPlan plan = new ScrubPlan();
        private final List<Integer> read = new ArrayList<>();

        Reader(Tree tree) {
            this.tree = tree;
        }

        /** Reads a piece; what happens between the look at the tree and the look at the map is up to the caller. */
        boolean step(int blocks, Runnable between) {
            plan.update(tree.members());
            final int id = plan.next();
            if (id == 0) {
                return false;
            }
            final Tree.Node parent = tree.nodes.get(id).parent;
            between.run();
            final Tree.Node node = tree.nodes.get(id);
            if (node != null && node.parent != parent) {
                return true; // as the scrubber does
            }
            int lpn = node == null ? PAGES : (int) plan.cursor(id);
            for (int left = blocks; lpn < PAGES && left > 0; lpn++) {
                if (tree.isOwn(node, lpn)) {
                    read.add(node.content[lpn]);
                    left--;
                }
            }
            plan.advance(id, lpn == PAGES ? ScrubPlan.DONE : lpn);
            return true;
        }

        /** As if it had been saved and loaded. */
        void resume() {
            final ScrubPlan again = new ScrubPlan();
            again.restore(plan.places().stream()
                    .map(place -> new ScrubPlan.Place(place.member(), place.settled()))
                    .toList());
            plan = again;
        }
    }

    private static Tree.Node any(Random random, List<Tree.Node> nodes) {
        return nodes.isEmpty() ? null : nodes.get(random.nextInt(nodes.size()));
    }

    private static void change(Random random, Tree tree) {
        final List<Tree.Node> all = List.copyOf(tree.nodes.values());
        final List<Tree.Node> heads =
                all.stream().filter(node -> node.volume == null && !node.deleted).toList();
        final List<Tree.Node> snapshots =
                all.stream().filter(node -> node.volume != null && !node.deleted).toList();
        final Tree.Node head = any(random, heads);
        final Tree.Node snapshot = any(random, snapshots);
        switch (random.nextInt(11)) {
            case 0, 1 -> tree.write(head, random.nextInt(PAGES));
            case 2, 3 -> tree.snapshot(head);
            case 4 -> {
                if (snapshot != null && heads.size() < 4) {
                    tree.add(snapshot, null, snapshot.content);
                }
            }
            case 5 -> {
                if (snapshot != null && tree.nodes.containsValue(snapshot.volume) && !snapshot.volume.deleted) {
                    tree.rollback(snapshot.volume, snapshot);
                }
            }
            case 6, 7 -> {
                final Tree.Node victim = random.nextInt(6) == 0 && heads.size() > 1 ? head : snapshot;
                if (victim != null) {
                    victim.deleted = true;
                }
            }
            default -> {
                final Tree.Node dying = any(
                        random, all.stream().filter(n -> n.deleted && tree.children(n).size() <= 1).toList());
                if (dying != null) {
                    tree.drop(dying, 1 + random.nextInt(2 * PAGES));
                }
            }
        }
    }

    private static Tree someTree(Random random) {
        final Tree tree = new Tree();
        final Tree.Node head = tree.add(null, null, new int[PAGES]);
        for (int lpn = 0; lpn < PAGES; lpn++) {
            tree.write(head, lpn);
        }
        for (int i = 0; i < 30; i++) {
            change(random, tree);
        }
        return tree;
    }

    @RepeatedTest(500)
    void shouldForgetNoBlockWhileVersionsComeAndGo(RepetitionInfo info) {
        final long seed = info.getCurrentRepetition();
        final Random random = new Random(seed);
        final Tree tree = someTree(random);
        final Set<Integer> expected = tree.live();
        final Reader reader = new Reader(tree);
        for (int i = 0; i < 60; i++) {
            reader.step(1 + random.nextInt(6), () -> change(random, tree));
            for (int changes = random.nextInt(7); changes > 0; changes--) {
                change(random, tree);
            }
            if (random.nextInt(5) == 0) {
                reader.resume();
            }
        }
        for (int i = 0; reader.step(5, () -> {}); i++) {
            assertTrue(i < 10_000, "it never ends, seed " + seed);
        }
        expected.retainAll(tree.live());
        expected.removeAll(reader.read);
        assertEquals(Set.of(), expected, "seed " + seed);
    }

    @RepeatedTest(50)
    void shouldReadEachBlockOnceWhenNothingChanges(RepetitionInfo info) {
        final Random random = new Random(info.getCurrentRepetition());
        final Tree tree = someTree(random);
        final Reader reader = new Reader(tree);
        for (int i = 0; reader.step(1 + random.nextInt(8), () -> {}); i++) {
            assertTrue(i < 10_000, "it never ends");
        }
        assertEquals(tree.live().size(), reader.read.size());
        assertEquals(tree.live(), Set.copyOf(reader.read));
    }

    @Test
    void shouldNotBeginAnewWithEachSnapshotOfTheVolume() {
        final Tree tree = new Tree();
        final Tree.Node head = tree.add(null, null, new int[PAGES]);
        for (int lpn = 0; lpn < PAGES; lpn++) {
            tree.write(head, lpn);
        }
        final Reader reader = new Reader(tree);
        int steps = 0;
        while (reader.step(1, () -> {})) {
            if (steps++ % 3 == 0) {
                tree.snapshot(head);
            }
            assertTrue(steps < 4 * PAGES, "it never ends");
        }
        assertTrue(reader.read.size() <= 2 * PAGES, reader.read.size() + " blocks read of " + PAGES);
    }
}
