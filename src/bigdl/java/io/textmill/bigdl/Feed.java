package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.feature.dataset.AbstractDataSet;
import com.intel.analytics.bigdl.dllib.feature.dataset.DistributedDataSet;
import com.intel.analytics.bigdl.dllib.feature.dataset.MiniBatch;
import com.intel.analytics.bigdl.dllib.feature.dataset.Transformer;
import org.apache.spark.rdd.RDD;
import scala.reflect.ClassTag;

/** The data set of a training as BigDL asks for it. What it calls records are units of a step. */
final class Feed implements DistributedDataSet<MiniBatch<Object>> {
    private final RDD<Shares> shares;
    private final Steps steps;
    private final Plan plan;
    private boolean cached = true;

    Feed(RDD<Shares> shares, Steps steps, Plan plan) {
        this.shares = shares;
        this.steps = steps;
        this.plan = plan;
    }

    @Override
    public RDD<MiniBatch<Object>> data(boolean train) {
        if (train) {
            return steps;
        }
        int counted = plan.steps() * plan.units();
        return shares.toJavaRDD().<MiniBatch<Object>>map(share -> new Batch(share.train, null, 0, 0, counted, 1, 0, null)).rdd();
    }

    @Override
    public long size() {
        return (long) plan.steps() * plan.units() * plan.ranks;
    }

    @Override
    public void shuffle() {
        // Every epoch has an order of its own.
    }

    @Override
    public RDD<?> originRDD() {
        return shares;
    }

    @Override
    public boolean isCached() {
        return cached;
    }

    @Override
    public void isCached_$eq(boolean cached) {
        this.cached = cached;
    }

    @Override
    public <C> AbstractDataSet<C, ?> transform(Transformer<MiniBatch<Object>, C> transformer, ClassTag<C> tag) {
        throw new UnsupportedOperationException("batches are made once, for BigDL's own training loop");
    }
}
