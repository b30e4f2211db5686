package org.kvmdb.tools.bench.policy;

import java.util.Arrays;

/** A hand goes around over the pages and evicts the first that was not used since it came by last. */
final class Clock implements Policy {

    private final int[] frames;
    private final int[] frameOf;
    private final boolean[] used;
    private int filled;
    private int hand;

    Clock(int pageCount, int capacity) {
        frames = new int[capacity];
        used = new boolean[capacity];
        frameOf = new int[pageCount];
        Arrays.fill(frameOf, -1);
    }

    @Override
    public boolean access(int page) {
        if (frameOf[page] >= 0) {
            used[frameOf[page]] = true;
            return true;
        }
        final int frame = filled < frames.length ? filled++ : evict();
        frames[frame] = page;
        frameOf[page] = frame;
        return false;
    }

    private int evict() {
        while (used[hand]) {
            used[hand] = false;
            hand = (hand + 1) % frames.length;
        }
        final int frame = hand;
        frameOf[frames[frame]] = -1;
        hand = (hand + 1) % frames.length;
        return frame;
    }
}
