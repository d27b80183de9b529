package io.textmill.populate;

import java.util.Arrays;

/**
 * Divides n utterances over the values of a weighted list: in proportion to the weights, none above a cap.
 * Expected counts are rounded by systematic sampling from one uniform start, so each is within one of its expectation.
 *
 * <p>Expected counts are fixed-point integers: the sums of doubles would now and then put one more than the cap on a
 * value, and a combination would come twice.
 */
final class Allocation {
    private static final int SHIFT = 20;

    /** The most that can be divided: more would overflow in fixed point. */
    static final long MOST = Long.MAX_VALUE >> SHIFT + 1;

    /** Running sums of the expected counts, in units of 2^-20; the last is exactly n. */
    private final long[] ends;

    Allocation(long n, double[] weights, long cap) {
        long most = Math.min(cap, n);
        ends = exact(waterFill(n, weights, most), weights, n << SHIFT, most << SHIFT);
        for (int v = 1; v < ends.length; v++) {
            ends[v] += ends[v - 1];
        }
    }

    /** n·w/Σw, where what is above the cap goes to the others in proportion. */
    private static double[] waterFill(long n, double[] weights, long cap) {
        double[] expected = new double[weights.length];
        boolean[] full = new boolean[weights.length];
        double left = n;
        double weight = Arrays.stream(weights).sum();
        for (boolean changed = true; changed; ) {
            changed = false;
            double level = weight > 0 ? left / weight : 0;
            for (int v = 0; v < weights.length; v++) {
                if (!full[v] && weights[v] * level >= cap) {
                    full[v] = true;
                    expected[v] = cap;
                    left -= cap;
                    weight -= weights[v];
                    changed = true;
                }
            }
        }
        for (int v = 0; v < weights.length; v++) {
            if (!full[v]) {
                expected[v] = weight > 0 ? Math.max(0, left * weights[v] / weight) : 0;
            }
        }
        return expected;
    }

    /** In fixed point, with what rounding left over put where there is room: on values of weight 0 only at last. */
    private static long[] exact(double[] expected, double[] weights, long sum, long cap) {
        long[] units = new long[expected.length];
        long left = sum;
        for (int v = 0; v < units.length; v++) {
            units[v] = Math.min(cap, (long) (expected[v] * (1L << SHIFT)));
            left -= units[v];
        }
        for (boolean all : new boolean[] {false, true}) {
            for (int v = 0; v < units.length && left != 0; v++) {
                if (all || weights[v] > 0) {
                    long step = Math.max(-units[v], Math.min(left, cap - units[v]));
                    units[v] += step;
                    left -= step;
                }
            }
        }
        return units;
    }

    /** First position of value v. The start {@code u} is a uniform number of 64 bits. */
    long start(int v, long u) {
        return v == 0 ? 0 : end(v - 1, u);
    }

    /** Position after the last of value v. */
    long end(int v, long u) {
        return ends[v] + (u >>> Long.SIZE - SHIFT) >> SHIFT;
    }

    /** The value that position i falls to. */
    int valueAt(long i, long u) {
        int low = 0;
        int high = ends.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (i < end(middle, u)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }
}
