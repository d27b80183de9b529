package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.Tensor;

/** In training takes tokens for unknown ones, id 1: ids [batch, length] and seeds [batch, 1] to ids. */
public final class TokenDropout extends Module {
    private final double rate;
    private final int number;

    /** @param number the layer's among those with noise */
    public TokenDropout(double rate, int number) {
        this.rate = rate;
        this.number = number;
    }

    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        if (!isTraining() || rate == 0) {
            return in[0];
        }
        float[] ids = Floats.copy(in[0]);
        float[] seeds = Floats.copy(in[1]);
        int length = ids.length / seeds.length;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] != 0 && !Random.keeps(seeds[i / length], number, i % length, rate)) {
                ids[i] = 1;
            }
        }
        return Floats.tensor(ids, in[0].size());
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        return Floats.zeros(in[0].size());
    }
}
