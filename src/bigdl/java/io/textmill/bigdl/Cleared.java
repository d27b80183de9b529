package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import java.util.Arrays;

/** Values [batch, length, n] with zeros where the ids [batch, length] are padding. */
public final class Cleared extends Module {
    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        return cleared(in[0], in[1]);
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        return cleared(gradient, in[1]);
    }

    private static Tensor<Object> cleared(Tensor<Object> values, Tensor<Object> ids) {
        float[] copy = Floats.copy(values);
        float[] id = Floats.array(ids);
        int size = values.size(3);
        for (int i = 0, at = Floats.start(ids); i < ids.nElement(); i++, at++) {
            if (id[at] == 0) {
                Arrays.fill(copy, i * size, (i + 1) * size, 0);
            }
        }
        return Floats.tensor(copy, values.size());
    }
}
