package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import com.intel.analytics.bigdl.dllib.tensor.Tensor$;
import com.intel.analytics.bigdl.dllib.tensor.TensorNumericMath.TensorNumeric;
import com.intel.analytics.bigdl.dllib.tensor.TensorNumericMath$TensorNumeric$NumericFloat$;
import com.intel.analytics.bigdl.dllib.utils.Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** BigDL's tensors of floats as arrays. Scala's Float is Object where Java sees it as a type parameter. */
final class Floats {
    static final TensorNumeric<Object> NUMERIC = TensorNumericMath$TensorNumeric$NumericFloat$.MODULE$;

    private Floats() {}

    @SuppressWarnings("unchecked")
    static ClassTag<Object> tag() {
        return (ClassTag<Object>) (ClassTag<?>) ClassTag$.MODULE$.Float();
    }

    static <C> ClassTag<C> tag(Class<C> of) {
        return ClassTag$.MODULE$.apply(of);
    }

    /** A tensor over these values; they are not copied. */
    static Tensor<Object> tensor(float[] values, int... shape) {
        return Tensor$.MODULE$.apply((Object) values, shape, tag(), NUMERIC);
    }

    /** A tensor of zeros. */
    static Tensor<Object> zeros(int... shape) {
        return Tensor$.MODULE$.apply(shape, tag(), NUMERIC);
    }

    @SuppressWarnings("unchecked")
    static Tensor<Object> of(Activity activity) {
        return (Tensor<Object>) activity;
    }

    /** The array behind a tensor, which starts at {@link #start}. */
    static float[] array(Tensor<Object> tensor) {
        return (float[]) tensor.storage().array();
    }

    /** Where a contiguous tensor's values start in its array. */
    static int start(Tensor<Object> tensor) {
        return tensor.storageOffset() - 1;
    }

    /** A copy of a contiguous tensor's values. */
    static float[] copy(Tensor<Object> tensor) {
        float[] values = new float[tensor.nElement()];
        System.arraycopy(array(tensor), start(tensor), values, 0, values.length);
        return values;
    }

    /** Put values into a contiguous tensor. */
    static void put(float[] values, int from, Tensor<Object> into) {
        System.arraycopy(values, from, array(into), start(into), into.nElement());
    }

    static Table table(Activity... activities) {
        return new Table((Object[]) activities);
    }

    /** Little-endian, as numpy writes them on the machines that this runs on. */
    static float[] decoded(byte[] bytes) {
        float[] values = new float[bytes.length / Float.BYTES];
        buffer(bytes).get(values);
        return values;
    }

    static byte[] encoded(float[] values) {
        byte[] bytes = new byte[values.length * Float.BYTES];
        buffer(bytes).put(values);
        return bytes;
    }

    private static FloatBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }
}
