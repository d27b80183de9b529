package io.textmill.populate;

import java.util.Arrays;

/**
 * Divides n utterances over the values of a weighted list: in proportion to the weights, none above a cap.
 * Expected counts are rounded by systematic sampling from one uniform start, so each is within one of its expectation.
 */
final class Allocation {
    /** Running sums of the expected counts; the last is exactly n. */
    private final double[] ends;
    private final long n;

    Allocation(long n, double[] weights, long cap) {
        this.n = n;
        double[] expected = waterFill(n, weights, cap);
        ends = new double[weights.length];
        double sum = 0;
        for (int v = 0; v < weights.length; v++) {
            sum += expected[v];
            ends[v] = sum;
        }
        ends[weights.length - 1] = n;
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

    /** First position of value v, for the uniform start u in [0, 1). */
    long start(int v, double u) {
        return v == 0 ? 0 : boundary(v - 1, u);
    }

    /** Position after the last of value v. */
    long end(int v, double u) {
        return boundary(v, u);
    }

    /** The value that position i falls to. */
    int valueAt(long i, double u) {
        int low = 0;
        int high = ends.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (i < boundary(middle, u)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private long boundary(int v, double u) {
        return v == ends.length - 1 ? n : Math.min(n, (long) Math.floor(ends[v] + u));
    }
}
