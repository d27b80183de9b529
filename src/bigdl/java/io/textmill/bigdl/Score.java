package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.AbstractModule;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import java.io.Serializable;

/** Summed cross entropy and the confusion matrix, rows the true label, of rows that are real. */
final class Score implements Serializable {
    private static final int ROWS = 256;

    final long[] confusion;
    double loss;
    private final int labels;

    Score(int labels) {
        this.labels = labels;
        confusion = new long[labels * labels];
    }

    Score plus(Score other) {
        loss += other.loss;
        for (int i = 0; i < confusion.length; i++) {
            confusion[i] += other.confusion[i];
        }
        return this;
    }

    /** Adds the rows from `from` on in steps of `threads` blocks. */
    void add(AbstractModule<Activity, Activity, Object> model, Rows rows, int thread, int threads) {
        model.evaluate();
        int[] order = new int[rows.real];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        for (int from = thread * ROWS; from < rows.real; from += threads * ROWS) {
            int until = Math.min(rows.real, from + ROWS);
            Batch batch = new Batch(rows, order, from, until, 1, 1, 1, i -> 0);
            take(Floats.of(model.forward(batch.getInput())).contiguous(), rows, from);
        }
    }

    private void take(Tensor<Object> logits, Rows rows, int from) {
        float[] values = Floats.copy(logits);
        for (int row = 0; row < values.length / labels; row++) {
            int start = row * labels;
            int label = rows.label(from + row);
            int best = Loss.argmax(values, start, labels);
            double sum = 0;
            for (int i = start; i < start + labels; i++) {
                sum += Math.exp(values[i] - values[start + best]);
            }
            loss += Math.log(sum) + values[start + best] - values[start + label];
            confusion[label * labels + best]++;
        }
    }
}
