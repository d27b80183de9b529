package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.Tensor;

/** Ids of tokens and of their hashed n-grams, as models/layers.py describes them: [batch, n] to [batch, highest · n]. */
public final class Ngrams extends Module {
    private final int vocabulary;
    private final int buckets;
    private final int highest;
    private final long multiplier;
    private final long prime;

    public Ngrams(int vocabulary, int buckets, int highest, long multiplier, long prime) {
        this.vocabulary = vocabulary;
        this.buckets = buckets;
        this.highest = highest;
        this.multiplier = multiplier;
        this.prime = prime;
    }

    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        float[] ids = Floats.copy(in[0]);
        int rows = in[0].size(1);
        int length = in[0].size(2);
        float[] all = new float[ids.length * highest];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < length; i++) {
                hash(ids, row * length, i, length, all, row * length * highest);
            }
        }
        return Floats.tensor(all, rows, length * highest);
    }

    private void hash(float[] ids, int row, int i, int length, float[] all, int to) {
        all[to + i] = ids[row + i];
        long hash = (long) ids[row + i];
        for (int shift = 1; shift < highest; shift++) {
            long next = i + shift < length ? (long) ids[row + i + shift] : 0;
            hash = (hash * multiplier + next) % prime;
            all[to + shift * length + i] = next == 0 ? 0 : vocabulary + hash % buckets;
        }
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        return Floats.zeros(in[0].size());
    }
}
