package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.AbstractModule;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** All weights of a model as one array, and what it gathers of its batches, such as moving means, as another. */
public final class Parameters {
    private Parameters() {}

    /** Where each weight of a layer starts among all weights of the model, then its shape. */
    public static List<int[]> places(AbstractModule<Activity, Activity, Object> model, AbstractModule<?, ?, Object> layer) {
        model.getParameters();
        List<int[]> places = new ArrayList<>();
        if (layer.parameters() != null) {
            for (Tensor<Object> weight : layer.parameters()._1()) {
                places.add(place(Floats.start(weight), weight));
            }
        }
        return places;
    }

    /** Where what a layer gathers starts among all that is gathered, then its shape. */
    public static List<int[]> gatheredPlaces(
            AbstractModule<Activity, Activity, Object> model, AbstractModule<?, ?, Object> layer) {
        List<int[]> places = new ArrayList<>();
        for (Tensor<Object> wanted : layer.getExtraParameter()) {
            int start = 0;
            for (Tensor<Object> each : model.getExtraParameter()) {
                if (each == wanted) {
                    places.add(place(start, each));
                }
                start += each.nElement();
            }
        }
        return places;
    }

    private static int[] place(int start, Tensor<Object> tensor) {
        int[] shape = tensor.size();
        int[] place = new int[shape.length + 1];
        place[0] = start;
        System.arraycopy(shape, 0, place, 1, shape.length);
        return place;
    }

    public static int size(AbstractModule<Activity, Activity, Object> model) {
        return model.getParameters()._1().nElement();
    }

    /** Give the model weights, and what it has gathered; float32, little-endian. */
    public static void set(AbstractModule<Activity, Activity, Object> model, byte[] weights, byte[] gathered) {
        Floats.put(Floats.decoded(weights), 0, model.getParameters()._1());
        setGathered(model, Floats.decoded(gathered));
    }

    static void setGathered(AbstractModule<Activity, Activity, Object> model, float[] gathered) {
        int at = 0;
        for (Tensor<Object> each : model.getExtraParameter()) {
            Floats.put(gathered, at, each);
            at += each.nElement();
        }
    }

    static float[] gathered(AbstractModule<Activity, Activity, Object> model) {
        int size = 0;
        for (Tensor<Object> each : model.getExtraParameter()) {
            size += each.nElement();
        }
        float[] found = new float[size];
        int at = 0;
        for (Tensor<Object> each : model.getExtraParameter()) {
            System.arraycopy(Floats.array(each), Floats.start(each), found, at, each.nElement());
            at += each.nElement();
        }
        return found;
    }

    /** The logits of rows of ids, on this machine; float32, little-endian. */
    public static byte[] logits(AbstractModule<Activity, Activity, Object> model, byte[] ids, int rows) {
        float[] values = Floats.decoded(ids);
        model.evaluate();
        Activity input = Floats.table(Floats.tensor(values, rows, values.length / rows), Floats.zeros(rows, 1));
        return Floats.encoded(Floats.copy(Floats.of(model.forward(input)).contiguous()));
    }
}
