package io.textmill.bigdl;

import java.io.Serializable;
import java.util.List;

/** What a training is told: where its rows are and how they come in steps. Its fields are set from Python. */
public final class Plan implements Serializable {
    final int ranks;
    final int threads;
    final int length;
    final int batch;
    final long seed;
    final transient List<List<String>> train;
    final transient List<List<String>> valid;
    final int trainRows;
    final int validRows;

    /**
     * @param threads of each rank
     * @param batch rows of a step, over all ranks
     * @param train files of each rank
     * @param trainRows rows of each rank
     */
    public Plan(int ranks, int threads, int length, int batch, long seed, List<List<String>> train, int trainRows,
            List<List<String>> valid, int validRows) {
        this.ranks = ranks;
        this.threads = threads;
        this.length = length;
        this.batch = batch;
        this.seed = seed;
        this.train = train;
        this.valid = valid;
        this.trainRows = trainRows;
        this.validRows = validRows;
    }

    /** Steps of an epoch, as many as the other engines take: rows that only fill up are counted. */
    int steps() {
        return (int) (((long) trainRows * ranks + batch - 1) / batch);
    }

    /** What BigDL takes for the size of a rank's batch: a multiple of its threads, and two of each, for it warns of fewer. */
    int units() {
        return 2 * threads;
    }

    /** The most rows that a thread has in a step: BigDL's convolution wants as many in each. */
    int rowsOfThread() {
        int ofRank = (batch + ranks - 1) / ranks;
        return (ofRank + threads - 1) / threads;
    }

    /** How many rows a rank has taken after `step` steps of an epoch: all ranks together take `batch` in each but the last. */
    int taken(int rank, int step) {
        return (int) Math.min(trainRows, ((long) step * batch + rank) / ranks);
    }
}
