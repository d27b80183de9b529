package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.feature.dataset.MiniBatch;
import com.intel.analytics.bigdl.dllib.feature.dataset.Sample;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import com.intel.analytics.bigdl.dllib.tensor.TensorNumericMath.TensorNumeric;
import java.util.function.IntToDoubleFunction;
import scala.collection.Seq;

/**
 * A rank's rows of one step, whose size is a number of units: each thread takes as many, whatever number of rows they have.
 *
 * <p>So BigDL's demand that batches are multiples of the cores always holds. Threads with fewer rows are filled up.
 */
final class Batch implements MiniBatch<Object> {
    private final Rows rows;
    private final int[] order;
    private final int from;
    private final int until;
    private final int units;
    private final int least;
    private final float share;
    private final transient IntToDoubleFunction seeds;

    /**
     * @param least rows of its tensors: what is missing is filled up with rows that count nowhere
     * @param seeds of a row by its place in the epoch's order, for noise
     */
    Batch(Rows rows, int[] order, int from, int until, int units, int least, float share, IntToDoubleFunction seeds) {
        this.rows = rows;
        this.order = order;
        this.from = from;
        this.until = until;
        this.units = units;
        this.least = least;
        this.share = share;
        this.seeds = seeds;
    }

    @Override
    public int size() {
        return units;
    }

    @Override
    public MiniBatch<Object> slice(int offset, int count) {
        int begin = from + (int) ((long) (until - from) * (offset - 1) / units);
        int end = from + (int) ((long) (until - from) * (offset - 1 + count) / units);
        return new Batch(rows, order, begin, end, count, least, share, seeds);
    }

    @Override
    public Activity getInput() {
        int count = Math.max(least, until - from);
        float[] ids = new float[count * rows.length];
        float[] seed = new float[count];
        for (int i = from; i < until; i++) {
            rows.ids(order[i], ids, (i - from) * rows.length);
            seed[i - from] = (float) seeds.applyAsDouble(i);
        }
        return Floats.table(Floats.tensor(ids, count, rows.length), Floats.tensor(seed, count, 1));
    }

    @Override
    public Activity getTarget() {
        int count = Math.max(least, until - from);
        float[] targets = new float[count * Loss.COLUMNS];
        for (int i = from, at = 0; i < until; i++, at += Loss.COLUMNS) {
            targets[at + Loss.LABEL] = rows.label(order[i]);
            targets[at + Loss.WEIGHT] = 1;
            targets[at + Loss.SHARE] = share;
        }
        return Floats.tensor(targets, count, Loss.COLUMNS);
    }

    @Override
    public Tensor<Object> data() {
        throw new UnsupportedOperationException("getInput takes its place");
    }

    @Override
    public Tensor<Object> labels() {
        throw new UnsupportedOperationException("getTarget takes its place");
    }

    @Override
    public MiniBatch<Object> set(Seq<Sample<Object>> samples, TensorNumeric<Object> numeric) {
        throw new UnsupportedOperationException("no sample is ever made");
    }
}
