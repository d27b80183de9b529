package io.textmill.bigdl;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Iterator;
import java.util.SplittableRandom;
import org.apache.spark.sql.catalyst.InternalRow;

/** The rows of a part that one partition trains on, without those of weight 0, which only fill shards up. */
final class Rows implements Serializable {
    final int length;
    final int all;
    final int real;
    private final int[] ids;
    private final int[] label;
    private transient int epoch;
    private transient int[] order;

    /** @param all rows that there are by the manifest */
    Rows(Iterator<InternalRow> from, int all, int length) {
        int[] id = new int[Math.multiplyExact(all, length)];
        int[] labels = new int[all];
        int read = 0;
        int kept = 0;
        for (; from.hasNext(); read++) {
            InternalRow row = from.next();
            int[] one = row.getArray(0).toIntArray();
            if (one.length != length || read == all) {
                throw new IllegalStateException(
                        "row " + read + " has " + one.length + " ids; " + all + " rows of " + length + " are described");
            }
            if (row.getFloat(2) > 0) {
                System.arraycopy(one, 0, id, kept * length, length);
                labels[kept++] = row.getInt(1);
            }
        }
        this.all = all;
        this.length = length;
        real = kept;
        ids = kept == all ? id : Arrays.copyOf(id, kept * length);
        label = kept == all ? labels : Arrays.copyOf(labels, kept);
    }

    int label(int row) {
        return label[row];
    }

    /** Put a row's ids into an array of floats, as BigDL's embeddings want them. */
    void ids(int row, float[] into, int to) {
        for (int i = 0; i < length; i++) {
            into[to + i] = ids[row * length + i];
        }
    }

    /** The rows in the order of an epoch (Fisher and Yates); it depends on the seed alone. */
    synchronized int[] order(int epoch, long seed) {
        if (order == null || this.epoch != epoch) {
            int[] made = new int[real];
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < real; i++) {
                int at = random.nextInt(i + 1);
                made[i] = made[at];
                made[at] = i;
            }
            order = made;
            this.epoch = epoch;
        }
        return order;
    }
}
