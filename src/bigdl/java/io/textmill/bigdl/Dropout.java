package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.Tensor;

/** In training leaves out values, the others grow in proportion: values [batch, …, n] and seeds [batch, 1] to values. */
public final class Dropout extends Module {
    private final double rate;
    private final int number;
    private final boolean spatial;

    /**
     * @param number the layer's among those with noise
     * @param spatial whether one draw holds for all positions of a dimension
     */
    public Dropout(double rate, int number, boolean spatial) {
        this.rate = rate;
        this.number = number;
        this.spatial = spatial;
    }

    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        return noisy(in[0], in);
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        return noisy(gradient, in);
    }

    private Tensor<Object> noisy(Tensor<Object> values, Tensor<Object>[] in) {
        if (!isTraining() || rate == 0) {
            return values;
        }
        float[] copy = Floats.copy(values);
        float[] seeds = Floats.copy(in[1]);
        int row = copy.length / seeds.length;
        int drawn = spatial ? values.size(values.dim()) : row;
        float[] factor = new float[drawn];
        for (int r = 0; r < seeds.length; r++) {
            for (int i = 0; i < drawn; i++) {
                factor[i] = Random.keeps(seeds[r], number, i, rate) ? (float) (1 / (1 - rate)) : 0;
            }
            for (int i = 0; i < row; i++) {
                copy[r * row + i] *= factor[i % drawn];
            }
        }
        return Floats.tensor(copy, values.size());
    }
}
