package org.kvmdb.gc;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Tracks how far a scrub has read each version, while versions come and go.
 *
 * <p>Each block is own to one version, and its owner changes with the tree of versions: a new snapshot takes over the
 * blocks of its volume, and a deleted version leaves its blocks to its child. So that no block is missed,
 *
 * <ul>
 *   <li>parents are read before their children: blocks that a version leaves unread go to a version that is unread,
 *       too;
 *   <li>a new snapshot continues at the position of its volume, and a child of a version that goes continues at the
 *       position of that version, if this is less far than its own;
 *   <li>these positions are those before the last piece, because a piece read since may no longer have been the
 *       version's.
 * </ul>
 *
 * So a block may be read twice, but none is missed. Deleted versions without a child are being dropped and are not
 * read.
 */
final class ScrubPlan {

    static final long DONE = Long.MAX_VALUE;

    /**
     * A version as the tree has it.
     *
     * @param parentId 0: none
     * @param volumeId of a snapshot: whose it is; of a volume 0
     * @param guid of a snapshot; of a volume 0
     */
    record Member(int id, int parentId, int volumeId, long family, long guid, boolean isDeleted) {}

    /** How far a version is read; LPN where its next piece begins. */
    static final class Place {
        private final Member member;
        private long cursor;
        /** The cursor before the last piece. */
        private long settled;

        Place(Member member, long cursor) {
            this.member = member;
            this.cursor = cursor;
            this.settled = cursor;
        }

        Member member() {
            return member;
        }

        long settled() {
            return settled;
        }
    }

    private Map<Integer, Place> places = new TreeMap<>();

    /** Goes on where an earlier scrub was. */
    void restore(Collection<Place> saved) {
        saved.forEach(place -> places.put(place.member.id, place));
    }

    /** How far each version is. */
    Collection<Place> places() {
        return places.values();
    }

    /** Takes in how the tree stands now; comes before each piece. */
    void update(Collection<Member> members) {
        final Map<Integer, Place> before = places;
        final Set<Integer> parents = new HashSet<>();
        members.forEach(member -> parents.add(member.parentId));
        places = new TreeMap<>();
        for (Member member : members) {
            places.put(member.id, new Place(member, 0));
        }
        final Handover handover = new Handover(before, places);
        for (Place place : places.values()) {
            final Member member = place.member;
            place.cursor = member.isDeleted && !parents.contains(member.id) ? DONE : handover.cursor(member);
            place.settled = place.cursor;
        }
    }

    /**
     * The version to read next, one without a parent that is not read; or 0 when all are. What is being deleted goes first: as
     * long as it is not read, its heirs are not either.
     */
    int next() {
        Place result = null;
        for (Place place : places.values()) {
            if (place.cursor != DONE && (result == null || place.member.isDeleted)) {
                result = place;
                if (place.member.isDeleted) {
                    break;
                }
            }
        }
        return result == null ? 0 : topmost(result).member.id;
    }

    private Place topmost(Place place) {
        Place result = place;
        for (Place at = place; at != null; at = places.get(at.member.parentId)) {
            result = at.cursor != DONE ? at : result;
        }
        return result;
    }

    /** LPN at which the version's next piece begins. */
    long cursor(int id) {
        return places.get(id).cursor;
    }

    /** A piece was read, up to there, with the parent that the last update knew. */
    void advance(int id, long cursor) {
        places.get(id).cursor = cursor;
    }

    /** Where those that are there now go on, given how far they and those that left were. */
    private static final class Handover {
        private final Map<Integer, Place> before;
        private final Map<Integer, Place> now;
        private final Map<Integer, Long> left = new HashMap<>();
        private final Map<Long, Long> leftByFamily = new HashMap<>();

        Handover(Map<Integer, Place> before, Map<Integer, Place> now) {
            this.before = before;
            this.now = now;
            for (Place place : before.values()) {
                if (leaves(place)) {
                    leftByFamily.merge(place.member.family, place.settled, Math::min);
                }
            }
        }

        /** Whether what it holds goes to others: it is gone, or being deleted. */
        private boolean leaves(Place place) {
            final Place at = now.get(place.member.id);
            return at == null || !isSame(at.member, place.member) || at.member.isDeleted;
        }

        private static boolean isSame(Member a, Member b) {
            return a.family == b.family && a.guid == b.guid && a.volumeId == b.volumeId;
        }

        long cursor(Member member) {
            final Place known = before.get(member.id);
            if (known != null && isSame(known.member, member)) {
                return Math.min(known.cursor, isHead(member) ? leftToAny(member) : leftTo(known));
            }
            final Place volume = before.get(member.volumeId);
            return volume == null ? 0 : Math.min(volume.settled, leftToAny(member));
        }

        private static boolean isHead(Member member) {
            return member.volumeId == 0;
        }

        /** What is new, or was rolled back meanwhile, may have taken over from any that left. */
        private long leftToAny(Member member) {
            return leftByFamily.getOrDefault(member.family, DONE);
        }

        /** How far the parents were that left something to it: the nearest ones, up to one that stays. */
        private long leftTo(Place place) {
            final Deque<Place> chain = new ArrayDeque<>();
            Place parent = before.get(place.member.parentId);
            while (parent != null && leaves(parent) && !left.containsKey(parent.member.id)) {
                chain.push(parent);
                parent = before.get(parent.member.parentId);
            }
            long least = parent == null ? DONE : left.getOrDefault(parent.member.id, DONE);
            for (Place at : chain) {
                least = Math.min(least, at.settled);
                left.put(at.member.id, least);
            }
            return least;
        }
    }
}
