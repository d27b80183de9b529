package io.textmill.embed;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;

/** Some rows of the weights as one partition has left them, and how often it changed each. */
final class Block implements Serializable {
    private final int partition;
    private final float[] values;
    private final int[] updates;

    Block(int partition, float[] values, int[] updates) {
        this.partition = partition;
        this.values = values;
        this.updates = updates;
    }

    /**
     * The mean of what the partitions have made of the same rows, each row weighted by how often it was changed: a
     * rare token that one partition has seen keeps all it learnt there. Summed in the order of the partitions.
     */
    static float[] mean(List<Block> blocks) {
        blocks.sort(Comparator.comparingInt(block -> block.partition));
        float[] mean = blocks.get(0).values.clone();
        int rows = blocks.get(0).updates.length;
        int size = mean.length / rows;
        for (int row = 0; row < rows; row++) {
            mean(blocks, row, size, mean);
        }
        return mean;
    }

    private static void mean(List<Block> blocks, int row, int size, float[] mean) {
        long updates = 0;
        double[] sum = new double[size];
        for (Block block : blocks) {
            int weight = block.updates[row];
            updates += weight;
            for (int i = 0; weight > 0 && i < size; i++) {
                sum[i] += (double) weight * block.values[row * size + i];
            }
        }
        for (int i = 0; updates > 0 && i < size; i++) {
            mean[row * size + i] = (float) (sum[i] / updates);
        }
    }
}
