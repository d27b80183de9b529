package io.textmill.embed;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Skip-gram with negative sampling over one partition, in one thread (Mikolov et al. 2013, "Distributed representations
 * of words and phrases and their compositionality"): the same rows, seed and start give the same weights. All contexts
 * of a position share its drawn tokens, whose vectors then stay in the cache (Ji et al. 2016, "Parallelizing word2vec in
 * shared and distributed memory").
 */
final class SkipGram {
    private static final int STEPS = 1024;
    private static final float BOUND = 6;
    private static final float[] SIGMOID = sigmoid();
    /** The share of the first learning rate that is left at the end, as in word2vec's own program. */
    private static final float LAST_RATE = 1e-4f;

    private final Settings settings;
    private final Vocabulary vocabulary;
    private final AliasTable noise;
    private final SplittableRandom random;
    private final float[] weights;
    private final int[] updates;
    private final float[] gradient;
    private final int[] drawn;
    private int[] kept = new int[64];

    /** {@code weights}: the tokens' vectors, then their output vectors, size numbers each; changed in place. */
    SkipGram(Settings settings, Vocabulary vocabulary, float[] weights, long seed) {
        this.settings = settings;
        this.vocabulary = vocabulary;
        this.weights = weights;
        noise = new AliasTable(Arrays.stream(vocabulary.counts).mapToDouble(count -> Math.pow(count, 0.75)).toArray());
        random = new SplittableRandom(seed);
        updates = new int[2 * vocabulary.size()];
        gradient = new float[settings.size];
        drawn = new int[settings.negative];
    }

    /** How often each row of the weights was changed. */
    int[] updates() {
        return updates;
    }

    /** Trains on some rows; {@code done} and {@code after} are the shares of the whole training before and after. */
    void train(Sentences rows, int from, int until, double done, double after) {
        for (int row = from; row < until; row++) {
            double share = done + (after - done) * (row - from) / (until - from);
            row(subsampled(rows, row), settings.rate * Math.max(LAST_RATE, (float) (1 - share)));
        }
    }

    /** Leaves frequent tokens out by chance, by the formula of word2vec's own program; how many are left. */
    private int subsampled(Sentences rows, int row) {
        int start = rows.start(row);
        int end = rows.start(row + 1);
        kept = kept.length < end - start ? new int[end - start] : kept;
        int used = 0;
        for (int i = start; i < end; i++) {
            double often = vocabulary.counts[rows.word(i)] / (settings.sample * vocabulary.total);
            if (settings.sample == 0 || often <= 1 || random.nextDouble() < (Math.sqrt(often) + 1) / often) {
                kept[used++] = rows.word(i);
            }
        }
        return used;
    }

    private void row(int length, float rate) {
        for (int center = 0; center < length; center++) {
            int reach = settings.window == 0 ? length : 1 + random.nextInt(settings.window);
            int last = Math.min(length - 1, center + reach);
            for (int i = 0; i < drawn.length; i++) {
                drawn[i] = noise.draw(random);
            }
            for (int other = Math.max(0, center - reach); other <= last; other++) {
                if (other != center) {
                    pair(kept[other], kept[center], rate);
                }
            }
        }
    }

    private void pair(int word, int predicted, float rate) {
        int size = settings.size;
        Arrays.fill(gradient, 0);
        step(word, predicted, 1, rate);
        for (int other : drawn) {
            if (other != predicted) {
                step(word, other, 0, rate);
            }
        }
        Vectors.add(weights, word * size, 1, gradient, 0, size);
        updates[word]++;
    }

    private void step(int word, int target, float truth, float rate) {
        int size = settings.size;
        int output = vocabulary.size() + target;
        float error = truth - sigmoid(Vectors.dot(weights, word * size, weights, output * size, size));
        Vectors.add(gradient, 0, error * rate, weights, output * size, size);
        Vectors.add(weights, output * size, error * rate, weights, word * size, size);
        updates[output]++;
    }

    private static float sigmoid(float x) {
        if (x >= BOUND || x <= -BOUND) {
            return x > 0 ? 1 : 0;
        }
        return SIGMOID[(int) ((x + BOUND) * (STEPS / (2 * BOUND)))];
    }

    private static float[] sigmoid() {
        float[] table = new float[STEPS + 1];
        for (int i = 0; i <= STEPS; i++) {
            double x = (i + 0.5) * 2 * BOUND / STEPS - BOUND;
            table[i] = (float) (1 / (1 + StrictMath.exp(-x)));
        }
        return table;
    }
}
