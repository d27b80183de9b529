package io.textmill.bigdl;

import java.io.Serializable;

/** What one partition knows at the end of an epoch. */
final class Slice implements Serializable {
    final int partition;
    /** Its slice of the weights, then of each moment. */
    final float[][] values;
    /** As {@link Loss#taken} gives it, of all threads. */
    final double[] seen;
    /** What its models have gathered: the mean over its threads. */
    final float[] gathered;

    Slice(int partition, float[][] values, double[] seen, float[] gathered) {
        this.partition = partition;
        this.values = values;
        this.seen = seen;
        this.gathered = gathered;
    }
}
