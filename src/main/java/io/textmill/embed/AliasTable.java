package io.textmill.embed;

import java.util.SplittableRandom;

/** Draws numbers by weight in constant time (Walker 1977, built as by Vose 1991). */
final class AliasTable {
    private final int[] alias;
    private final double[] keep;

    AliasTable(double[] weights) {
        int size = weights.length;
        alias = new int[size];
        keep = new double[size];
        double sum = 0;
        for (double weight : weights) {
            sum += weight;
        }
        int[] waiting = new int[size];
        int small = 0;
        int large = size;
        for (int i = 0; i < size; i++) {
            keep[i] = weights[i] * size / sum;
            waiting[keep[i] < 1 ? small++ : --large] = i;
        }
        fill(waiting, small, large);
    }

    /** {@code waiting} holds the entries under the mean before {@code small}, the others from {@code large} on. */
    private void fill(int[] waiting, int small, int large) {
        while (small > 0 && large < waiting.length) {
            int poor = waiting[--small];
            int rich = waiting[large];
            alias[poor] = rich;
            keep[rich] -= 1 - keep[poor];
            if (keep[rich] < 1) {
                large++;
                waiting[small++] = rich;
            }
        }
        while (small > 0) {
            keep[waiting[--small]] = 1; // what rounding has left over
        }
        while (large < waiting.length) {
            keep[waiting[large++]] = 1;
        }
    }

    int draw(SplittableRandom random) {
        int column = random.nextInt(alias.length);
        return random.nextDouble() < keep[column] ? column : alias[column];
    }
}
