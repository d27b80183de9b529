package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.InputSplit;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.lib.input.FileInputFormat;
import org.apache.hadoop.mapreduce.lib.input.FileSplit;
import org.apache.hadoop.mapreduce.lib.input.TextInputFormat;
import org.apache.spark.api.java.JavaNewHadoopRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import scala.Tuple2;

/** Reads the files of an input: every record comes out once, with its position; bad ones with their reason. */
public final class Records {
    private static final long SPLIT_BYTES = 8L << 20;

    private Records() {}

    /**
     * Columns id, text, label, reason, position. The layout depends on the files alone: lines are split every 8 MiB,
     * CSV files (whose records may hold line breaks) and compressed files are read by one task each.
     */
    public static Dataset<Row> read(SparkSession spark, String specJson) throws IOException {
        JsonNode spec = new ObjectMapper().readTree(specJson);
        List<String> files = new ArrayList<>();
        spec.path("files").forEach(file -> files.add(file.asText()));
        Collections.sort(files);
        boolean csv = spec.path("format").asText().equals("csv");
        JavaRDD<Row> rows = csv ? csv(spark, files, spec) : lines(spark, files, spec);
        if (spec.path("sample").isNumber()) {
            double share = spec.path("sample").asDouble();
            long seed = spec.path("seed").asLong();
            rows = rows.filter(row -> isSampled(row, share, seed));
        }
        return spark.createDataFrame(rows, Record.SCHEMA);
    }

    private static JavaRDD<Row> csv(SparkSession spark, List<String> files, JsonNode spec) {
        CsvFile reader = new CsvFile(spec);
        SerializableConfiguration conf = new SerializableConfiguration(spark.sessionState().newHadoopConf());
        return JavaSparkContext.fromSparkContext(spark.sparkContext())
                .parallelize(files, files.size())
                .flatMap(file -> reader.records(file, conf.value()));
    }

    private static JavaRDD<Row> lines(SparkSession spark, List<String> files, JsonNode spec) throws IOException {
        Lines lines = new Lines(spec);
        Job job = Job.getInstance(spark.sessionState().newHadoopConf());
        job.getConfiguration().setLong(FileInputFormat.SPLIT_MAXSIZE, SPLIT_BYTES);
        FileInputFormat.setInputPaths(job, files.stream().map(Records::literal).toArray(Path[]::new));
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        JavaNewHadoopRDD<LongWritable, Text> read = (JavaNewHadoopRDD<LongWritable, Text>) context.newAPIHadoopRDD(
                job.getConfiguration(), TextInputFormat.class, LongWritable.class, Text.class);
        return read.mapPartitionsWithInputSplit((split, pairs) -> records(lines, split, pairs), true);
    }

    /** Hadoop takes input paths for patterns: what is a sign to it in a file's name is escaped. */
    private static Path literal(String file) {
        return new Path(file.replaceAll("([\\\\{}\\[\\]*?])", "\\\\$1"));
    }

    private static Iterator<Row> records(Lines lines, InputSplit split, Iterator<Tuple2<LongWritable, Text>> pairs) {
        String name = ((FileSplit) split).getPath().getName();
        return new Iterator<>() {
            private Row next;

            @Override
            public boolean hasNext() {
                while (next == null && pairs.hasNext()) {
                    Tuple2<LongWritable, Text> pair = pairs.next();
                    next = lines.record(pair._2, name + ":" + pair._1.get());
                }
                return next != null;
            }

            @Override
            public Row next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Row current = next;
                next = null;
                return current;
            }
        };
    }

    private static boolean isSampled(Row row, double share, long seed) {
        long hash = seed;
        String text = row.getString(1);
        for (int i = 0; i < text.length(); i++) {
            hash = hash * 0x5851F42D4C957F2DL + text.charAt(i) + 1;
        }
        hash = (hash ^ hash >>> 33) * 0xFF51AFD7ED558CCDL;
        hash ^= hash >>> 33;
        return (hash >>> 11) * 0x1.0p-53 < share;
    }
}
