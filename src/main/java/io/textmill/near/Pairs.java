package io.textmill.near;

/** Sorting of pairs of longs that lie side by side in one array. */
final class Pairs {
    private static final int DIGIT = 11;
    private static final int DIGITS = (Long.SIZE + DIGIT - 1) / DIGIT;

    private Pairs() {}

    /** By the first, then the second long, as signed numbers; least-significant-digit radix sort. */
    static long[] sort(long[] pairs) {
        long[] from = pairs;
        long[] to = new long[pairs.length];
        for (int field = 1; field >= 0; field--) {
            for (int digit = 0; digit < DIGITS; digit++) {
                if (pass(from, to, field, digit * DIGIT)) {
                    long[] swapped = from;
                    from = to;
                    to = swapped;
                }
            }
        }
        return from;
    }

    /** Whether anything was moved: a digit that is the same everywhere is left alone. */
    private static boolean pass(long[] from, long[] to, int field, int shift) {
        int[] ends = new int[(1 << DIGIT) + 1];
        for (int i = field; i < from.length; i += 2) {
            ends[digit(from[i], shift) + 1]++;
        }
        if (from.length > 0 && ends[digit(from[field], shift) + 1] == from.length / 2) {
            return false;
        }
        for (int i = 1; i < ends.length; i++) {
            ends[i] += ends[i - 1];
        }
        for (int i = 0; i < from.length; i += 2) {
            int place = 2 * ends[digit(from[i + field], shift)]++;
            to[place] = from[i];
            to[place + 1] = from[i + 1];
        }
        return true;
    }

    private static int digit(long value, int shift) {
        return (int) ((value ^ Long.MIN_VALUE) >>> shift) & (1 << DIGIT) - 1;
    }
}
