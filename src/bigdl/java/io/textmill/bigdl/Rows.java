package io.textmill.bigdl;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;

/** The rows of a part that one partition trains on, without those of weight 0, which only fill shards up. */
final class Rows implements Serializable {
    final int length;
    final int all;
    final int real;
    private final int[] ids;
    private final int[] label;
    private transient int epoch;
    private transient int[] order;

    private Rows(int[] ids, int[] label, int all, int real, int length) {
        this.all = all;
        this.length = length;
        this.real = real;
        this.ids = real == all ? ids : Arrays.copyOf(ids, real * length);
        this.label = real == all ? label : Arrays.copyOf(label, real);
    }

    /**
     * Reads files of as many rows each.
     *
     * @param all rows that there are by the manifest
     */
    static Rows read(List<String> files, int all, int length, int threads, Configuration conf) throws Exception {
        int[] ids = new int[Math.multiplyExact(all, length)];
        int[] label = new int[all];
        int rows = all / files.size();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Integer>> running = new ArrayList<>();
            for (String file : files) {
                Shard shard = new Shard(file, length, ids, label, running.size() * rows, rows);
                running.add(pool.submit(() -> shard.read(conf)));
            }
            int real = 0;
            for (int i = 0; i < files.size(); i++) {
                int kept = running.get(i).get();
                System.arraycopy(ids, i * rows * length, ids, real * length, kept * length);
                System.arraycopy(label, i * rows, label, real, kept);
                real += kept;
            }
            return new Rows(ids, label, all, real, length);
        } finally {
            pool.shutdownNow();
        }
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
