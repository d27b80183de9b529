package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.Tensor;

/** Mean of values [batch, length, n] over the real positions of ids [batch, length]: [batch, n]. */
public final class MeanPool extends Module {
    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        int rows = in[0].size(1);
        int size = in[0].size(3);
        float[] pooled = new float[rows * size];
        each(in, (row, value, share) -> {
            for (int n = 0; n < size; n++) {
                pooled[row * size + n] += Floats.array(in[0])[value + n] * share;
            }
        });
        return Floats.tensor(pooled, rows, size);
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        int size = in[0].size(3);
        float[] spread = new float[in[0].nElement()];
        int offset = Floats.start(in[0]);
        int start = Floats.start(gradient);
        each(in, (row, value, share) -> {
            for (int n = 0; n < size; n++) {
                spread[value - offset + n] = Floats.array(gradient)[start + row * size + n] * share;
            }
        });
        return Floats.tensor(spread, in[0].size());
    }

    private interface Position {
        void take(int row, int value, float share);
    }

    /** Every real position: its row, where its values start in their array, and one over how many its row has. */
    private static void each(Tensor<Object>[] in, Position position) {
        float[] ids = Floats.array(in[1]);
        int length = in[1].size(2);
        int size = in[0].size(3);
        for (int row = 0; row < in[1].size(1); row++) {
            int id = Floats.start(in[1]) + row * length;
            int real = 0;
            for (int i = 0; i < length; i++) {
                real += ids[id + i] != 0 ? 1 : 0;
            }
            for (int i = 0; i < length; i++) {
                if (ids[id + i] != 0) {
                    position.take(row, Floats.start(in[0]) + (row * length + i) * size, 1f / real);
                }
            }
        }
    }
}
