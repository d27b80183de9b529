package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.AbstractCriterion;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;

/**
 * Cross entropy of logits [batch, labels] with targets [batch, 3]: label, weight, and what the row counts in the step's mean.
 *
 * <p>It is a sum, so that threads with fewer rows count for fewer: the mean is in the targets. What it has seen is summed up
 * until it is {@link #taken}.
 */
public final class Loss extends AbstractCriterion<Activity, Activity, Object> {
    static final int LABEL = 0;
    static final int WEIGHT = 1;
    static final int SHARE = 2;
    static final int COLUMNS = 3;

    private final double smoothing;
    private final double[] seen = new double[COLUMNS];
    private transient float[] gradient;

    /** @param smoothing share of the label that is spread over all labels (Szegedy et al., CVPR 2015) */
    public Loss(double smoothing) {
        super(Floats.tag(Activity.class), Floats.tag(Activity.class), Floats.tag(), Floats.NUMERIC);
        this.smoothing = smoothing;
    }

    @Override
    public Object updateOutput(Activity output, Activity target) {
        Tensor<Object> logits = Floats.of(output).contiguous();
        int labels = logits.size(2);
        float[] values = Floats.copy(logits);
        float[] targets = Floats.copy(Floats.of(target));
        gradient = new float[values.length];
        double lost = 0;
        for (int row = 0; row < logits.size(1); row++) {
            lost += row(values, row * labels, labels, targets, row * COLUMNS);
        }
        output_$eq((float) lost);
        return output();
    }

    /** One row's part of the step's loss. */
    private double row(float[] logits, int from, int labels, float[] targets, int target) {
        int label = (int) targets[target + LABEL];
        int best = argmax(logits, from, labels);
        double highest = logits[from + best];
        double sum = 0;
        double mean = 0;
        for (int i = from; i < from + labels; i++) {
            sum += Math.exp(logits[i] - highest);
            mean += logits[i] - highest;
        }
        double log = Math.log(sum);
        for (int i = 0; i < labels; i++) {
            double wanted = smoothing / labels + (i == label ? 1 - smoothing : 0);
            double probability = Math.exp(logits[from + i] - highest - log);
            gradient[from + i] = (float) (targets[target + SHARE] * (probability - wanted));
        }
        double right = logits[from + label] - highest - log;
        double lost = -((1 - smoothing) * right + smoothing * (mean / labels - log));
        seen[0] += targets[target + WEIGHT] * lost;
        seen[1] += best == label ? targets[target + WEIGHT] : 0;
        seen[2] += targets[target + WEIGHT];
        return targets[target + SHARE] * lost;
    }

    static int argmax(float[] values, int from, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = values[from + i] > values[from + best] ? i : best;
        }
        return best;
    }

    @Override
    public Activity updateGradInput(Activity output, Activity target) {
        gradInput_$eq(Floats.tensor(gradient, Floats.of(output).size()));
        return gradInput();
    }

    /** Adds the weighted losses, the weight of rows predicted rightly and the weight of all since the last time. */
    void taken(double[] into) {
        for (int i = 0; i < COLUMNS; i++) {
            into[i] += seen[i];
            seen[i] = 0;
        }
    }
}
