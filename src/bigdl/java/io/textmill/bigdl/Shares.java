package io.textmill.bigdl;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;

/** What one partition trains and validates on, read once from Parquet into arrays. */
final class Shares implements Serializable {
    final Rows train;
    final Rows valid;

    private Shares(Rows train, Rows valid) {
        this.train = train;
        this.valid = valid;
    }

    /** A partition for each rank. */
    static JavaRDD<Shares> of(SparkSession spark, Plan plan) {
        List<Files> files = new ArrayList<>();
        for (int rank = 0; rank < plan.ranks; rank++) {
            files.add(new Files(plan, new ArrayList<>(plan.train.get(rank)), new ArrayList<>(plan.valid.get(rank))));
        }
        return JavaSparkContext.fromSparkContext(spark.sparkContext()).parallelize(files, plan.ranks).map(Files::read);
    }

    /** Those of a rank. */
    private static final class Files implements Serializable {
        private final Plan plan;
        private final List<String> train;
        private final List<String> valid;

        Files(Plan plan, List<String> train, List<String> valid) {
            this.plan = plan;
            this.train = train;
            this.valid = valid;
        }

        Shares read() throws Exception {
            Configuration conf = SparkHadoopUtil.get().conf(); // with the session's spark.hadoop.* also on executors
            return new Shares(
                    Rows.read(train, plan.trainRows, plan.length, plan.threads, conf),
                    Rows.read(valid, plan.validRows, plan.length, plan.threads, conf));
        }
    }
}
