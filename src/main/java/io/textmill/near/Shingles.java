package io.textmill.near;

import io.textmill.SplitMix64;
import java.io.Serializable;
import java.util.Arrays;

/**
 * A text as the set of its n-grams, of characters (code points) or of words between white space: sorted distinct 64-bit
 * hashes, which stand for the n-grams themselves. A text shorter than n is one shingle; a blank one has none.
 */
public final class Shingles implements Serializable {
    private static final long[] NONE = {};

    private final boolean words;
    private final int n;

    /** n-grams of {@code unit} char or word; raises IllegalArgumentException for another. */
    public Shingles(String unit, int n) {
        if (!unit.equals("char") && !unit.equals("word")) {
            throw new IllegalArgumentException("unknown unit " + unit + "; there are: char, word");
        }
        this.words = unit.equals("word");
        this.n = n;
    }

    /** The shingles of a text, ascending. */
    public long[] of(String text) {
        long[] units = words ? hashedWords(text) : text.codePoints().asLongStream().toArray();
        return units.length == 0 ? NONE : distinct(grams(units));
    }

    /** |a ∩ b| / |a ∪ b| of two results of {@link #of}; 0 where both are empty. */
    public static double jaccard(long[] a, long[] b) {
        int i = 0;
        int j = 0;
        int both = 0;
        while (i < a.length && j < b.length) {
            int order = Long.compare(a[i], b[j]);
            both += order == 0 ? 1 : 0;
            i += order <= 0 ? 1 : 0;
            j += order >= 0 ? 1 : 0;
        }
        int either = a.length + b.length - both;
        return either == 0 ? 0 : (double) both / either;
    }

    private long[] grams(long[] units) {
        long[] grams = new long[Math.max(1, units.length - n + 1)];
        int width = Math.min(n, units.length);
        for (int i = 0; i < grams.length; i++) {
            long hash = width;
            for (int k = 0; k < width; k++) {
                hash = SplitMix64.uniform(hash * 31 + units[i + k]);
            }
            grams[i] = hash;
        }
        return grams;
    }

    private static long[] hashedWords(String text) {
        long[] hashes = new long[text.length() / 2 + 1];
        int words = 0;
        boolean inside = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isWhitespace(c) || Character.isSpaceChar(c)) {
                inside = false;
            } else {
                words += inside ? 0 : 1;
                inside = true;
                hashes[words - 1] = SplitMix64.uniform(hashes[words - 1] + c + 1);
            }
        }
        return Arrays.copyOf(hashes, words);
    }

    private static long[] distinct(long[] values) {
        Arrays.sort(values);
        int kept = 1;
        for (int i = 1; i < values.length; i++) {
            if (values[i] != values[i - 1]) {
                values[kept++] = values[i];
            }
        }
        return kept == values.length ? values : Arrays.copyOf(values, kept);
    }
}
