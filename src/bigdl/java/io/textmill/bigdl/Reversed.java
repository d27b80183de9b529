package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.Tensor;

/** Values [batch, length, n] with the positions up to the last real one of the ids [batch, length] from back to front. */
public final class Reversed extends Module {
    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        return reversed(in[0], in[1]);
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        return reversed(gradient, in[1]);
    }

    private static Tensor<Object> reversed(Tensor<Object> values, Tensor<Object> ids) {
        float[] from = Floats.array(values);
        float[] to = new float[values.nElement()];
        int length = values.size(2);
        int size = values.size(3);
        for (int row = 0; row < values.size(1); row++) {
            int real = real(Floats.array(ids), Floats.start(ids) + row * length, length);
            for (int i = 0; i < length; i++) {
                int source = i < real ? real - 1 - i : i;
                int start = Floats.start(values) + (row * length + source) * size;
                System.arraycopy(from, start, to, (row * length + i) * size, size);
            }
        }
        return Floats.tensor(to, values.size());
    }

    private static int real(float[] ids, int start, int length) {
        int real = length;
        while (real > 0 && ids[start + real - 1] == 0) {
            real--;
        }
        return real;
    }
}
