package org.kvmdb.tools;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** What somebody may have meant who mistyped a word. */
final class Suggestions {

    /** So many letters are needed for each that is wrong. */
    private static final int LETTERS_PER_MISTAKE = 3;

    private Suggestions() {}

    /** The one that is nearest, if it is near: a few letters wrong, or left out at the end. */
    static Optional<String> near(String word, Collection<String> candidates) {
        int mistakesMax = (word.length() + 1) / LETTERS_PER_MISTAKE;
        return candidates.stream()
                .filter(candidate -> distance(word, candidate) <= mistakesMax
                        || word.length() >= LETTERS_PER_MISTAKE && candidate.startsWith(word))
                .min(Comparator.comparingInt(candidate -> distance(word, candidate)));
    }

    /** How many letters must be put in, left out or exchanged to make one of the other. */
    static int distance(String one, String other) {
        int[] row = new int[other.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int exchanged = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(exchanged, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[other.length()];
    }
}
