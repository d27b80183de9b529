package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.AbstractModule;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import com.intel.analytics.bigdl.dllib.utils.Table;

/** A layer on one or several tensors, of which the first alone gets a gradient. */
abstract class Module extends AbstractModule<Activity, Activity, Object> {
    Module() {
        super(Floats.tag(Activity.class), Floats.tag(Activity.class), Floats.tag(), Floats.NUMERIC);
    }

    /** The output for contiguous inputs. */
    abstract Tensor<Object> forward(Tensor<Object>[] in);

    /** The gradient of the first input, given that of the output. */
    abstract Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient);

    @Override
    public Activity updateOutput(Activity input) {
        output_$eq(forward(tensors(input)));
        return output();
    }

    @Override
    public Activity updateGradInput(Activity input, Activity gradient) {
        Tensor<Object>[] in = tensors(input);
        Activity[] gradients = new Activity[in.length];
        gradients[0] = backward(in, Floats.of(gradient).contiguous());
        for (int i = 1; i < in.length; i++) {
            gradients[i] = Floats.zeros(in[i].size());
        }
        gradInput_$eq(input instanceof Table ? Floats.table(gradients) : gradients[0]);
        return gradInput();
    }

    @SuppressWarnings("unchecked")
    private static Tensor<Object>[] tensors(Activity input) {
        if (!(input instanceof Table)) {
            return new Tensor[] {Floats.of(input).contiguous()};
        }
        Table table = (Table) input;
        Tensor<Object>[] found = new Tensor[table.length()];
        for (int i = 0; i < found.length; i++) {
            found[i] = ((Tensor<Object>) table.apply(i + 1)).contiguous();
        }
        return found;
    }
}
