package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import scala.Tuple2;

/**
 * Batch normalisation of values [batch, n] over the rows with a real id in ids [batch, length].
 *
 * <p>BigDL's own counts every row, and of a single one it makes its moving variance infinite.
 */
public final class BatchNorm extends Module {
    private static final double EPSILON = 1e-3;

    private final double momentum;
    private final Tensor<Object> gamma;
    private final Tensor<Object> beta;
    private final Tensor<Object> gammaGradient;
    private final Tensor<Object> betaGradient;
    private final Tensor<Object> mean;
    private final Tensor<Object> variance;
    private transient float[] normal;
    private transient float[] scale;
    private transient boolean[] real;

    public BatchNorm(int size, double momentum) {
        this.momentum = momentum;
        gamma = Floats.zeros(size);
        beta = Floats.zeros(size);
        gammaGradient = Floats.zeros(size);
        betaGradient = Floats.zeros(size);
        mean = Floats.zeros(size);
        variance = Floats.zeros(size);
        java.util.Arrays.fill(Floats.array(gamma), 1);
        java.util.Arrays.fill(Floats.array(variance), 1);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Tuple2<Tensor<Object>[], Tensor<Object>[]> parameters() {
        return new Tuple2<>(new Tensor[] {gamma, beta}, new Tensor[] {gammaGradient, betaGradient});
    }

    /** The moving mean and variance. */
    @Override
    @SuppressWarnings("unchecked")
    public Tensor<Object>[] getExtraParameter() {
        return new Tensor[] {mean, variance};
    }

    @Override
    Tensor<Object> forward(Tensor<Object>[] in) {
        int rows = in[0].size(1);
        int size = in[0].size(2);
        float[] values = Floats.copy(in[0]);
        real = real(in[1], rows);
        normal = new float[values.length];
        scale = new float[size];
        float[] out = new float[values.length];
        for (int n = 0; n < size; n++) {
            double[] moments = isTraining() ? ofBatch(values, n, size) : moving(n);
            scale[n] = (float) (1 / Math.sqrt(moments[1] + EPSILON));
            float g = Floats.array(gamma)[Floats.start(gamma) + n];
            float b = Floats.array(beta)[Floats.start(beta) + n];
            for (int at = n; at < values.length; at += size) {
                normal[at] = (float) (values[at] - moments[0]) * scale[n];
                out[at] = normal[at] * g + b;
            }
        }
        return Floats.tensor(out, rows, size);
    }

    private double[] moving(int n) {
        return new double[] {Floats.array(mean)[Floats.start(mean) + n], Floats.array(variance)[Floats.start(variance) + n]};
    }

    private double[] ofBatch(float[] values, int n, int size) {
        double sum = 0;
        double squares = 0;
        int count = 0;
        for (int row = 0; row < real.length; row++) {
            if (real[row]) {
                sum += values[row * size + n];
                count++;
            }
        }
        double middle = sum / Math.max(1, count);
        for (int row = 0; row < real.length; row++) {
            if (real[row]) {
                squares += Math.pow(values[row * size + n] - middle, 2);
            }
        }
        double spread = squares / Math.max(1, count);
        if (count > 0) {
            move(mean, n, middle);
            move(variance, n, spread);
        }
        return new double[] {middle, spread};
    }

    private void move(Tensor<Object> moving, int n, double to) {
        float[] values = Floats.array(moving);
        int at = Floats.start(moving) + n;
        values[at] += (float) ((1 - momentum) * (to - values[at]));
    }

    private static boolean[] real(Tensor<Object> ids, int rows) {
        boolean[] real = new boolean[rows];
        int length = ids.size(2);
        for (int i = 0; i < rows * length; i++) {
            real[i / length] |= Floats.array(ids)[Floats.start(ids) + i] != 0;
        }
        return real;
    }

    @Override
    Tensor<Object> backward(Tensor<Object>[] in, Tensor<Object> gradient) {
        int size = in[0].size(2);
        float[] given = Floats.copy(gradient);
        float[] back = new float[given.length];
        int count = 0;
        for (boolean row : real) {
            count += row ? 1 : 0;
        }
        for (int n = 0; n < size; n++) {
            double sum = 0;
            double along = 0;
            for (int at = n; at < given.length; at += size) {
                sum += given[at];
                along += given[at] * normal[at];
            }
            float g = Floats.array(gamma)[Floats.start(gamma) + n] * scale[n];
            for (int row = 0, at = n; at < given.length; row++, at += size) {
                // The mean and the variance depend on real rows alone, if all use them.
                double shared = isTraining() && real[row] ? (sum + normal[at] * along) / count : 0;
                back[at] = (float) (g * (given[at] - shared));
            }
        }
        return Floats.tensor(back, in[0].size());
    }

    @Override
    public void accGradParameters(Activity input, Activity gradient) {
        float[] given = Floats.copy(Floats.of(gradient).contiguous());
        int size = scale.length;
        for (int at = 0; at < given.length; at++) {
            Floats.array(gammaGradient)[Floats.start(gammaGradient) + at % size] += given[at] * normal[at];
            Floats.array(betaGradient)[Floats.start(betaGradient) + at % size] += given[at];
        }
    }
}
