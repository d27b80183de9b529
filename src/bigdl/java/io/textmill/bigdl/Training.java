package io.textmill.bigdl;

import com.intel.analytics.bigdl.dllib.nn.abstractnn.AbstractModule;
import com.intel.analytics.bigdl.dllib.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.dllib.optim.DistriOptimizer;
import com.intel.analytics.bigdl.dllib.optim.Trigger;
import com.intel.analytics.bigdl.dllib.utils.Engine;
import com.intel.analytics.bigdl.dllib.utils.Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;

/**
 * One attempt at a training by BigDL's DistriOptimizer, which runs in a thread of its own. Python hears of every step, and at
 * the end of an epoch the thread waits until Python says whether to go on.
 *
 * <p>What is heard is an array: its kind, then doubles as text: "loaded" (seconds), "step" (number over all epochs, loss),
 * "epoch" (number), "end", "lost" (executor, reason), "failed" (message).
 */
public final class Training implements Trigger {
    private final transient SparkSession session;
    private final transient AbstractModule<Activity, Activity, Object> model;
    private final transient Plan plan;
    private final int labels;
    private final transient LinkedBlockingQueue<String[]> told = new LinkedBlockingQueue<>();
    private final transient SynchronousQueue<Boolean> answers = new SynchronousQueue<>();
    private final transient Losses losses;
    private transient DistriOptimizer<Object> optimizer;
    private transient Steered steered;
    private transient Steps steps;
    private transient JavaRDD<Shares> shares;
    private transient Epoch epoch;
    private transient Thread thread;
    private transient long first;

    public Training(SparkSession session, AbstractModule<Activity, Activity, Object> model, Plan plan, int labels) {
        this.session = session;
        this.model = model;
        this.plan = plan;
        this.labels = labels;
        losses = new Losses(lost -> told.add(new String[] {"lost", lost[0], lost[1]}));
    }

    /**
     * Start the thread.
     *
     * @param optimizerName adam or sgd
     * @param rates float32 of all steps
     * @param start float32 of the moments before the first step, one after the other; empty: none
     * @param clip the largest norm of a gradient; 0: any
     * @param compress "fp16" or "none": how weights and gradients go between ranks
     */
    public void start(String optimizerName, double momentum, byte[] rates, double decay, int[] decayed, double clip,
            double smoothing, String compress, long first, byte[] start, String group) {
        this.first = first;
        int size = Parameters.size(model);
        steered = new Steered(
                optimizerName.equals("sgd") ? Steered.sgd(momentum) : Steered.adam(), Floats.decoded(rates), decay, decayed,
                (int) first, start.length == 0 ? null : halves(Floats.decoded(start), size), size, plan.ranks);
        thread = new Thread(() -> run(clip, smoothing, compress, group), "bigdl-training");
        thread.setDaemon(true);
        thread.setContextClassLoader(getClass().getClassLoader());
        thread.start();
    }

    private static float[][] halves(float[] all, int size) {
        float[][] parts = new float[all.length / size][size];
        for (int i = 0; i < parts.length; i++) {
            System.arraycopy(all, i * size, parts[i], 0, size);
        }
        return parts;
    }

    private void run(double clip, double smoothing, String compress, String group) {
        SparkContext context = session.sparkContext();
        context.addSparkListener(losses);
        try {
            context.setJobGroup(group, "training", true);
            prepare(smoothing);
            if (clip > 0) {
                optimizer.setGradientClippingByl2Norm(clip);
            }
            optimizer.setCompressType(compress);
            optimizer.optimize();
            told.add(new String[] {"end"});
        } catch (Throwable error) {
            told.add(new String[] {"failed", causes(error)});
        } finally {
            context.removeSparkListener(losses);
            if (shares != null) {
                shares.unpersist(false);
            }
        }
    }

    private void prepare(double smoothing) {
        long began = System.nanoTime();
        Engine.init(plan.ranks, plan.threads, true);
        shares = Shares.of(session, plan).cache();
        int[] real = shares.map(share -> share.train.real).collect().stream().mapToInt(Integer::intValue).toArray();
        told.add(new String[] {"loaded", String.valueOf((System.nanoTime() - began) / 1e9)});
        steps = new Steps(shares.rdd(), plan, real);
        Feed feed = new Feed(shares.rdd(), steps, plan);
        optimizer = new DistriOptimizer<>(model, feed, new Loss(smoothing), Floats.tag(), Floats.NUMERIC);
        Table state = steered.state();
        state.update("epoch", (int) (first / plan.steps()) + 1);
        state.update("neval", (int) first + 1);
        optimizer.setOptimMethod(steered);
        optimizer.setEndWhen(this);
    }

    private static String causes(Throwable error) {
        StringBuilder text = new StringBuilder();
        for (Throwable cause = error; cause != null && text.length() < 10_000; cause = cause.getCause()) {
            text.append(text.length() > 0 ? "\ncaused by " : "").append(cause);
        }
        return text.toString();
    }

    /** What DistriOptimizer asks before every step: whether it is over. */
    @Override
    public boolean apply(Table state) {
        long done = (Integer) state.<Object>apply("neval") - 1;
        steps.next(done);
        if (done == first) {
            return false;
        }
        told.add(new String[] {"step", String.valueOf(done), String.valueOf(state.<Object>apply("Loss"))});
        return done % plan.steps() == 0 && !goesOn(done);
    }

    private boolean goesOn(long done) {
        try {
            epoch = Epoch.of(optimizer, steered, plan, labels);
            told.add(new String[] {"epoch", String.valueOf(done / plan.steps())});
            return answers.take();
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The next that is told, all steps but the last left out; null where nothing is within so many milliseconds. */
    public List<String> heard(long milliseconds) throws InterruptedException {
        String[] found = told.poll(milliseconds, TimeUnit.MILLISECONDS);
        while (found != null && found[0].equals("step") && told.peek() != null && told.peek()[0].equals("step")) {
            found = told.poll();
        }
        return found == null ? null : new ArrayList<>(List.of(found));
    }

    /** After an epoch: whether another follows. */
    public void answer(boolean another) throws InterruptedException {
        answers.offer(another, 60, TimeUnit.SECONDS);
    }

    /** End it wherever it is. */
    public void stop() {
        thread.interrupt();
    }

    public byte[] weights() {
        return Floats.encoded(epoch.weights);
    }

    public byte[] moments() {
        return Floats.encoded(epoch.moments);
    }

    public byte[] gathered() {
        return Floats.encoded(epoch.gathered);
    }

    /** Weighted loss, weight of what was predicted rightly, weight of all rows, while training. */
    public double[] seen() {
        return epoch.seen;
    }

    public double validLoss() {
        return epoch.score.loss;
    }

    /** int64, little-endian. */
    public byte[] confusion() {
        ByteBuffer bytes = ByteBuffer.allocate(epoch.score.confusion.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(epoch.score.confusion);
        return bytes.array();
    }
}
