package io.textmill.bigdl;

import java.io.Serializable;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;

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
        JavaRDD<Rows> train = parts(spark, plan, rank -> plan.train.get(rank), plan.trainRows);
        JavaRDD<Rows> valid = parts(spark, plan, rank -> plan.valid.get(rank), plan.validRows);
        return train.zipPartitions(valid, Shares::zipped);
    }

    private static Iterator<Shares> zipped(Iterator<Rows> train, Iterator<Rows> valid) {
        return Collections.singleton(new Shares(train.next(), valid.next())).iterator();
    }

    private static JavaRDD<Rows> parts(SparkSession spark, Plan plan, Function<Integer, List<String>> files, int rows) {
        JavaRDD<Rows> all = null;
        for (int rank = 0; rank < plan.ranks; rank++) {
            JavaRDD<Rows> one = read(spark, files.apply(rank), rows, plan.length);
            all = all == null ? one : all.union(one);
        }
        return all;
    }

    private static JavaRDD<Rows> read(SparkSession spark, List<String> files, int rows, int length) {
        Dataset<Row> frame = spark.read()
                .schema("ids array<int>, label int, weight float")
                .parquet(files.toArray(new String[0]));
        JavaRDD<InternalRow> records = frame.queryExecution().toRdd().toJavaRDD().coalesce(1);
        return records.mapPartitions(part -> Collections.singleton(new Rows(part, rows, length)).iterator());
    }
}
