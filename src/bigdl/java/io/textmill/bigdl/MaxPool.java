package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import java.util.Arrays;

/** Maximum of values [batch, length, n] over the real positions of ids [batch, length], 0 where there are none: [batch, n]. */
public final class MaxPool extends Module {
    private transient int[] highest;

    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        int rows = in[0].size(1);
        int length = in[0].size(2);
        int size = in[0].size(3);
        float[] pooled = new float[rows * size];
        highest = new int[rows * size];
        Arrays.fill(highest, -1);
        float[] ids = Floats.array(in[1]);
        for (int i = 0; i < rows * length; i++) {
            if (ids[Floats.start(in[1]) + i] != 0) {
                take(Floats.array(in[0]), Floats.start(in[0]), i * size, pooled, i / length * size, size);
            }
        }
        return Floats.tensor(pooled, rows, size);
    }

    private void take(float[] values, int start, int from, float[] pooled, int to, int size) {
        for (int n = 0; n < size; n++) {
            float value = values[start + from + n];
            if (highest[to + n] < 0 || value > pooled[to + n]) {
                pooled[to + n] = value;
                highest[to + n] = from + n;
            }
        }
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        float[] spread = new float[in[0].nElement()];
        float[] given = Floats.array(gradient);
        for (int i = 0; i < highest.length; i++) {
            if (highest[i] >= 0) {
                spread[highest[i]] += given[Floats.start(gradient) + i];
            }
        }
        return Floats.tensor(spread, in[0].size());
    }
}
