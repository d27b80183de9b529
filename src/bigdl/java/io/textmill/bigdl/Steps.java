package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.feature.dataset.MiniBatch;
import java.util.Collections;
import org.apache.spark.Partition;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import scala.collection.Iterator;
import scala.collection.JavaConverters;

/**
 * The batches of one step, one in each partition.
 *
 * <p>BigDL asks for an endless sequence and begins it anew in every step. Here the driver says which step it is: an RDD is
 * sent to its executors with each job.
 */
final class Steps extends RDD<MiniBatch<Object>> {
    private final transient RDD<Shares> shares;
    private final Plan plan;
    private final int[] real;
    private long step;

    /** @param real rows of each partition that count */
    Steps(RDD<Shares> shares, Plan plan, int[] real) {
        super(shares, Floats.tag(castClass()));
        this.shares = shares;
        this.plan = plan;
        this.real = real;
    }

    @SuppressWarnings("unchecked")
    private static Class<MiniBatch<Object>> castClass() {
        return (Class<MiniBatch<Object>>) (Class<?>) MiniBatch.class;
    }

    /** The step that comes next, from 0 on over all epochs. */
    void next(long step) {
        this.step = step;
    }

    @Override
    public Partition[] getPartitions() {
        return shares.partitions();
    }

    @Override
    public Iterator<MiniBatch<Object>> compute(Partition split, TaskContext context) {
        Rows rows = this.<Shares>firstParent(Floats.tag(Shares.class)).iterator(split, context).next().train;
        return JavaConverters.asScalaIterator(Collections.singleton(batch(rows, split.index())).iterator());
    }

    private MiniBatch<Object> batch(Rows rows, int rank) {
        int epoch = (int) (step / plan.steps());
        int within = (int) (step % plan.steps());
        int[] order = rows.order(epoch, Random.seed64(plan.seed, epoch, rank));
        int from = Math.min(real[rank], plan.taken(rank, within));
        int until = Math.min(real[rank], plan.taken(rank, within + 1));
        // BigDL adds up what its threads give and divides by their number.
        float share = (float) plan.threads * plan.ranks / Math.max(1, count(within));
        long now = step;
        return new Batch(rows, order, from, until, plan.units(), plan.rowsOfThread(), share, i -> Random.seed(plan.seed, now, rank, i - from));
    }

    /** The rows of a step in all partitions. */
    private int count(int within) {
        int rows = 0;
        for (int rank = 0; rank < real.length; rank++) {
            rows += Math.min(real[rank], plan.taken(rank, within + 1)) - Math.min(real[rank], plan.taken(rank, within));
        }
        return rows;
    }
}
