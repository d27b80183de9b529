package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.optim.Adam;
import com.intel.analytics.bigdl.dllib.optim.OptimMethod;
import com.intel.analytics.bigdl.dllib.optim.SGD;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import com.intel.analytics.bigdl.dllib.utils.Table;
import org.apache.commons.lang3.SerializationUtils;
import org.apache.spark.TaskContext;
import scala.Function1;
import scala.Tuple2;

/**
 * BigDL's Adam or SGD with the learning rate of each step, decoupled weight decay, and moments that can be taken and put back.
 *
 * <p>Each partition has a slice of all weights, on which its own copy works.
 */
public final class Steered implements OptimMethod<Object> {
    private static final String[] ADAM = {"s", "r"};
    private static final String[] SGD = {"dfdx"};

    private final OptimMethod<Object> inner;
    private final float[] rates;
    private final double decay;
    private final int[] decayed;
    private final int first;
    private final float[][] start;
    private final int size;
    private final int ranks;
    private Table state = new Table(new Object[0]);
    private int done;
    private transient Tensor<Object> weights;

    /**
     * @param rates learning rates of all steps of the training
     * @param decayed begins and ends of the weights that decay
     * @param first the step that this begins with
     * @param start the moments before it, of all weights; null: zeros
     * @param size of all weights
     */
    Steered(OptimMethod<Object> inner, float[] rates, double decay, int[] decayed, int first, float[][] start, int size, int ranks) {
        this.inner = inner;
        this.rates = rates;
        this.decay = decay;
        this.decayed = decayed;
        this.first = first;
        this.start = start;
        this.size = size;
        this.ranks = ranks;
    }

    static OptimMethod<Object> adam() {
        return new Adam<>(1, 0, 0.9, 0.999, 1e-7, Floats.tag(), Floats.NUMERIC);
    }

    /** With Nesterov's momentum, if any. */
    static OptimMethod<Object> sgd(double momentum) {
        return new SGD<>(1, 0, 0, momentum, 0, momentum > 0, new SGD.Default(), null, null, Floats.tag(), Floats.NUMERIC);
    }

    @Override
    public Tuple2<Tensor<Object>, Object> optimize(
            Function1<Tensor<Object>, Tuple2<Object, Tensor<Object>>> loss, Tensor<Object> slice) {
        int step = (int) (Integer) state.<Object>apply("neval") - 1;
        if (step != first + done) {
            // Spark has computed a lost partition again: its slice of the weights is that of the start.
            throw new IllegalStateException("step " + step + " comes after " + (first + done) + ": a partition was lost");
        }
        if (done == 0 && start != null) {
            restore(slice.nElement());
        }
        done++;
        decay(slice, rates[step]);
        rate(rates[step]);
        weights = slice;
        return inner.optimize(loss, slice);
    }

    private void rate(double rate) {
        if (inner instanceof Adam) {
            ((Adam<Object>) inner).learningRate_$eq(rate);
        } else {
            ((SGD<Object>) inner).learningRate_$eq(rate);
        }
    }

    private void restore(int count) {
        int from = offset(TaskContext.getPartitionId());
        for (int i = 0; i < names().length; i++) {
            float[] slice = new float[count];
            System.arraycopy(start[i], from, slice, 0, count);
            inner.state().update(names()[i], Floats.tensor(slice, count));
        }
        if (inner instanceof Adam) {
            inner.state().update("denom", Floats.zeros(count));
            inner.state().update("evalCounter", first);
        }
    }

    private void decay(Tensor<Object> slice, double rate) {
        if (decay == 0) {
            return;
        }
        int from = offset(TaskContext.getPartitionId());
        float[] values = Floats.array(slice);
        float kept = (float) (1 - rate * decay);
        for (int i = 0; i < decayed.length; i += 2) {
            int begin = Math.max(decayed[i] - from, 0);
            int end = Math.min(decayed[i + 1] - from, slice.nElement());
            for (int at = begin; at < end; at++) {
                values[Floats.start(slice) + at] *= kept;
            }
        }
    }

    /** Where the slice of a partition starts among all weights; BigDL divides them so. */
    int offset(int partition) {
        return partition * (size / ranks) + Math.min(partition, size % ranks);
    }

    private String[] names() {
        return inner instanceof Adam ? ADAM : SGD;
    }

    /** The weights of this slice, then its moments; the moments are missing where there are none yet. */
    float[][] slices() {
        float[][] found = new float[names().length + 1][];
        found[0] = Floats.copy(weights);
        for (int i = 0; i < names().length; i++) {
            Tensor<Object> moment = inner.state().<Tensor<Object>>getOrElse(names()[i], null);
            found[i + 1] = moment == null ? new float[found[0].length] : Floats.copy(moment);
        }
        return found;
    }

    int moments() {
        return names().length;
    }

    @Override
    public double getLearningRate() {
        return rates[Math.min(rates.length - 1, first + done)];
    }

    @Override
    public Table state() {
        return state;
    }

    @Override
    public void state_$eq(Table state) {
        this.state = state;
    }

    @Override
    public void clearHistory() {
        // It starts with the moments it was given.
    }

    @Override
    public OptimMethod<Object> loadFromTable(Table table) {
        return this;
    }

    @Override
    public OptimMethod<Object> clone() {
        return SerializationUtils.clone(this);
    }
}
