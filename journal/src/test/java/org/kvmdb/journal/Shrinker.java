package org.kvmdb.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * Makes a list of steps that shows something wrong as short as it can: takes steps out, many at a time and then few
 * (delta debugging), and pages out of steps, as long as what is left still shows it.
 */
final class Shrinker {

    private final Predicate<List<Step>> isWrong;
    private int runsLeft;

    /** @param runsMax how often at most the predicate is asked */
    Shrinker(Predicate<List<Step>> isWrong, int runsMax) {
        this.isWrong = isWrong;
        runsLeft = runsMax;
    }

    /** Returns the shortest list that was found; the given one when nothing shorter is wrong. */
    List<Step> shrink(List<Step> steps) {
        List<Step> best = steps;
        int before;
        do {
            before = weight(best);
            best = withoutSteps(best);
            best = withFewerPages(best);
        } while (weight(best) < before && runsLeft > 0);
        return best;
    }

    private static int weight(List<Step> steps) {
        return steps.size() + steps.stream().filter(Step::takesPages).mapToInt(step -> step.pages(1).length).sum();
    }

    private boolean isWrong(List<Step> steps) {
        return runsLeft-- > 0 && isWrong.test(steps);
    }

    private List<Step> withoutSteps(List<Step> steps) {
        List<Step> best = steps;
        for (int piece = Math.max(1, best.size() / 2); piece > 0; piece /= 2) {
            for (int from = best.size() - piece; from >= 0; from -= piece) {
                final List<Step> fewer = new ArrayList<>(best);
                fewer.subList(from, Math.min(best.size(), from + piece)).clear();
                if (isWrong(fewer)) {
                    best = fewer;
                    from = Math.min(from, best.size());
                }
            }
        }
        return best;
    }

    private List<Step> withFewerPages(List<Step> steps) {
        List<Step> best = steps;
        for (int i = 0; i < best.size(); i++) {
            if (best.get(i).takesPages()) {
                best = withFewerPages(best, i);
            }
        }
        return best;
    }

    private List<Step> withFewerPages(List<Step> steps, int index) {
        List<Step> best = steps;
        long[] pages = best.get(index).pages(1);
        for (int piece = pages.length / 2; piece > 0; piece /= 2) {
            for (int from = 0; from + piece <= pages.length && piece < pages.length; ) {
                final long[] fewer = new long[pages.length - piece];
                System.arraycopy(pages, 0, fewer, 0, from);
                System.arraycopy(pages, from + piece, fewer, from, pages.length - from - piece);
                final List<Step> changed = new ArrayList<>(best);
                changed.set(index, best.get(index).with(1, Step.textOf(fewer)));
                if (isWrong(changed)) {
                    best = changed;
                    pages = Arrays.copyOf(fewer, fewer.length);
                } else {
                    from += piece;
                }
            }
        }
        return best;
    }
}
