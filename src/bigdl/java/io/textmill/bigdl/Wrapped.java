package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.AbstractModule;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.nn.internal.KerasLayer;
import com.intel.analytics.bigdl.dllib.utils.Shape;
import com.intel.analytics.bigdl.dllib.utils.Shape$;

/** One of our modules in BigDL's Keras-style API, whose own wrapper takes no more than one input. */
public final class Wrapped extends KerasLayer<Activity, Activity, Object> {
    private final Module module;
    private final int[] shape;

    /** @param shape of the output without the batch's dimension */
    public Wrapped(Module module, int[] shape) {
        super(null, Floats.tag(Activity.class), Floats.tag(Activity.class), Floats.tag(), Floats.NUMERIC);
        this.module = module;
        this.shape = shape;
    }

    @Override
    public AbstractModule<Activity, Activity, Object> doBuild(Shape input) {
        return module;
    }

    @Override
    public Shape computeOutputShape(Shape input) {
        int[] whole = new int[shape.length + 1];
        whole[0] = -1;
        System.arraycopy(shape, 0, whole, 1, shape.length);
        return Shape$.MODULE$.apply(whole);
    }
}
