package org.kvmdb.tools.bench.policy;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;

/** Accesses to pages: recorded while words of a file are looked up, and drawn by chance. */
public final class Traces {

    /**
     * Accesses to pages.
     *
     * @param pageCount pages are numbered from 0 to below this
     */
    public record Trace(int[] accesses, int pageCount) {}

    private static final int ACCESSES = 1_000_000;
    private static final int PAGES = 10_000;
    private static final int PAGE_BYTES = 4096;
    private static final int WORD_LENGTH_MIN = 4;
    private static final int WORDS_MAX = 1_500_000;
    private static final int LOOKUPS_BETWEEN_SCANS = 20_000;
    private static final double SKEW = 0.99;

    private Traces() {}

    /** All of them, by name. */
    public static Map<String, Trace> all(Path file) throws IOException {
        final Map<String, Trace> all = new LinkedHashMap<>();
        final List<String> words = words(file);
        all.put("words", lookups(words, false));
        all.put("words and scans", lookups(words, true));
        final SplittableRandom random = new SplittableRandom(1);
        final double[] sums = sums();
        all.put("Zipf 0.99", new Trace(random.doubles(ACCESSES).mapToInt(at -> rank(sums, at)).toArray(), PAGES));
        all.put("uniform", new Trace(random.ints(ACCESSES, 0, PAGES).toArray(), PAGES));
        final int[] loop = new int[ACCESSES];
        for (int i = 0; i < ACCESSES; i++) {
            loop[i] = i % PAGES;
        }
        all.put("loop", new Trace(loop, PAGES));
        return all;
    }

    /** The words of a file in their order: runs of letters. */
    static List<String> words(Path file) throws IOException {
        final List<String> words = new ArrayList<>();
        final StringBuilder word = new StringBuilder();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 20)) {
            for (int letter = in.read(); letter >= 0 && words.size() < WORDS_MAX; letter = in.read()) {
                if (letter < 128 && Character.isLetter(letter)) {
                    word.append((char) letter);
                } else {
                    if (word.length() >= WORD_LENGTH_MIN) {
                        words.add(word.toString());
                    }
                    word.setLength(0);
                }
            }
        }
        return words;
    }

    /** Looks each word up in the sorted file of all of them, page by page, by halves; now and then the whole file is read. */
    static Trace lookups(List<String> words, boolean scans) {
        final List<String> firstOfPage = new ArrayList<>();
        int room = 0;
        for (String word : new TreeSet<>(words)) {
            final int length = word.getBytes(StandardCharsets.US_ASCII).length + 2 * Long.BYTES;
            if (length > room) {
                firstOfPage.add(word);
                room = PAGE_BYTES;
            }
            room -= length;
        }
        final int[] accesses = new int[ACCESSES];
        int count = 0;
        for (int i = 0; count < ACCESSES; i++) {
            for (int page = 0; scans && i % LOOKUPS_BETWEEN_SCANS == 0 && page < firstOfPage.size(); page++) {
                if (count < ACCESSES) {
                    accesses[count++] = page;
                }
            }
            final String word = words.get(i % words.size());
            int low = 0;
            int high = firstOfPage.size();
            while (high - low > 1 && count < ACCESSES) {
                final int middle = (low + high) >>> 1;
                accesses[count++] = middle;
                if (firstOfPage.get(middle).compareTo(word) <= 0) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            if (count < ACCESSES) {
                accesses[count++] = low;
            }
        }
        return new Trace(accesses, firstOfPage.size());
    }

    private static double[] sums() {
        final double[] sums = new double[PAGES];
        double sum = 0;
        for (int i = 0; i < PAGES; i++) {
            sum += Math.pow(i + 1, -SKEW);
            sums[i] = sum;
        }
        return sums;
    }

    private static int rank(double[] sums, double at) {
        final int found = java.util.Arrays.binarySearch(sums, at * sums[sums.length - 1]);
        return Math.min(sums.length - 1, found < 0 ? -found - 1 : found);
    }
}
