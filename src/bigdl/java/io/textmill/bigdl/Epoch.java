package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.AbstractModule;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.optim.DistriOptimizer;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;

/** The state of a training after an epoch, gathered from all partitions, and its score on the valid part. */
final class Epoch {
    final float[] weights;
    final float[] moments;
    final float[] gathered;
    final double[] seen;
    final Score score;

    private Epoch(float[] weights, float[] moments, float[] gathered, double[] seen, Score score) {
        this.weights = weights;
        this.moments = moments;
        this.gathered = gathered;
        this.seen = seen;
        this.score = score;
    }

    static Epoch of(DistriOptimizer<Object> optimizer, Steered steered, Plan plan, int labels) {
        JavaRDD<DistriOptimizer.CacheV1<Object>> models = models(optimizer);
        List<Slice> slices = models.mapPartitions(Epoch::slice).collect();
        int size = slices.stream().mapToInt(slice -> slice.values[0].length).sum();
        float[] all = new float[size * (steered.moments() + 1)];
        float[] gathered = new float[slices.get(0).gathered.length];
        double[] seen = new double[Loss.COLUMNS];
        for (Slice slice : slices) {
            for (int i = 0; i < slice.values.length; i++) {
                System.arraycopy(slice.values[i], 0, all, i * size + steered.offset(slice.partition), slice.values[i].length);
            }
            add(gathered, slice.gathered, slices.size());
            for (int i = 0; i < seen.length; i++) {
                seen[i] += slice.seen[i];
            }
        }
        float[] weights = java.util.Arrays.copyOf(all, size);
        Score score = score(models, weights, gathered, plan.threads, labels);
        return new Epoch(weights, java.util.Arrays.copyOfRange(all, size, all.length), gathered, seen, score);
    }

    /** The models that each partition keeps, for which DistriOptimizer has no way out. */
    @SuppressWarnings("unchecked")
    private static JavaRDD<DistriOptimizer.CacheV1<Object>> models(DistriOptimizer<Object> optimizer) {
        try {
            Field field = DistriOptimizer.class.getDeclaredField("models");
            field.setAccessible(true);
            return ((RDD<DistriOptimizer.CacheV1<Object>>) field.get(optimizer)).toJavaRDD();
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("this BigDL is not 2.4.0: " + error, error);
        }
    }

    private static Iterator<Slice> slice(Iterator<DistriOptimizer.CacheV1<Object>> caches) {
        DistriOptimizer.CacheV1<Object> cache = caches.next();
        Steered steered = (Steered) cache.optimMethods().head()._2();
        double[] seen = new double[Loss.COLUMNS];
        for (Object criterion : cache.localCriterions()) {
            ((Loss) criterion).taken(seen);
        }
        float[] gathered = null;
        for (AbstractModule<Activity, Activity, Object> model : cache.localModels()) {
            float[] own = Parameters.gathered(model);
            gathered = gathered == null ? new float[own.length] : gathered;
            add(gathered, own, cache.localModels().length);
        }
        Slice slice = new Slice(TaskContext.getPartitionId(), steered.slices(), seen, gathered);
        return Collections.singleton(slice).iterator();
    }

    private static void add(float[] sum, float[] values, int count) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += values[i] / count;
        }
    }

    /** Also gives all models what they have gathered together. */
    private static Score score(JavaRDD<DistriOptimizer.CacheV1<Object>> models, float[] weights, float[] gathered,
            int threads, int labels) {
        Broadcast<float[][]> sent = JavaSparkContext.fromSparkContext(models.context()).broadcast(new float[][] {weights, gathered});
        JavaRDD<Shares> shares = JavaRDD.fromRDD(parent(models), Floats.tag(Shares.class));
        Score score = models.zipPartitions(shares, (caches, rows) -> {
            DistriOptimizer.CacheV1<Object> cache = caches.next();
            Tensor<Object> own = cache.modelWeights()[0];
            Floats.put(sent.value()[0], 0, own);
            return Collections.singleton(inThreads(cache, sent.value()[1], rows.next().valid, labels)).iterator();
        }).reduce(Score::plus);
        sent.destroy();
        return score;
    }

    @SuppressWarnings("unchecked")
    private static RDD<Shares> parent(JavaRDD<?> models) {
        return (RDD<Shares>) models.rdd().dependencies().head().rdd();
    }

    private static Score inThreads(DistriOptimizer.CacheV1<Object> cache, float[] gathered, Rows rows, int labels)
            throws InterruptedException, ExecutionException {
        int threads = cache.localModels().length;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<Score>> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int thread = i;
            running.add(pool.submit(() -> {
                Score score = new Score(labels);
                Parameters.setGathered(cache.localModels()[thread], gathered);
                score.add(cache.localModels()[thread], rows, thread, threads);
                return score;
            }));
        }
        Score all = new Score(labels);
        for (Future<Score> each : running) {
            all.plus(each.get());
        }
        pool.shutdown();
        return all;
    }
}
