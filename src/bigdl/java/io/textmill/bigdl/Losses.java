package io.textmill.bigdl;

import java.util.function.Consumer;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;

/** Tells of executors that are lost: BigDL would go on with weights that are not those of the step. */
final class Losses extends SparkListener {
    private final Consumer<String[]> lost;

    /** @param lost gets the executor's name and Spark's reason */
    Losses(Consumer<String[]> lost) {
        this.lost = lost;
    }

    @Override
    public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
        lost.accept(new String[] {removed.executorId(), removed.reason()});
    }
}
