package io.textmill.spark;

import java.util.Arrays;
import org.apache.spark.unsafe.hash.Murmur3_x86_32;

/** Keys by which Spark's hash partitioning puts rows into the partition that is wanted. */
public final class Partitions {
    /** The seed of Spark's HashPartitioning, as of its function hash. */
    private static final int SEED = 42;

    private Partitions() {}

    /** The smallest numbers of which the n-th is sent to partition n of so many. */
    public static int[] keys(int partitions) {
        int[] keys = new int[partitions];
        Arrays.fill(keys, -1);
        int missing = partitions;
        for (int number = 0; missing > 0; number++) {
            int partition = Math.floorMod(Murmur3_x86_32.hashInt(number, SEED), partitions);
            if (keys[partition] < 0) {
                keys[partition] = number;
                missing--;
            }
        }
        return keys;
    }
}
