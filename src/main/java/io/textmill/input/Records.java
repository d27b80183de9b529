package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import scala.Tuple2;
import scala.collection.JavaConverters;
import scala.collection.Seq;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Reads the files of an input: every record comes out once, with its position; bad ones with their reason. */
public final class Records {
    private static final int PARTITIONS = 4;

    private Records() {}

    /**
     * Columns id, text, label, reason, position; reason is null where a record is good, and text is the beginning of
     * the raw record where it is not. The layout depends on the files' sizes and the spec's {@code partitions} alone.
     * CSV files, whose records may hold line breaks, and compressed files are read by one task each. Parquet files come in
     * {@code groups} too, as spark_jobs/parquet.py finds their columns. {@code read} counts records as they come out of the
     * files: whoever writes them on compares, so that none is lost unseen.
     */
    public static Dataset<Row> read(SparkSession spark, String specJson, LongAccumulator read) throws IOException {
        JsonNode spec = new ObjectMapper().readTree(specJson);
        List<String> files = new ArrayList<>();
        spec.path("files").forEach(file -> files.add(file.asText()));
        Collections.sort(files);
        Configuration conf = spark.sessionState().newHadoopConf();
        JavaRDD<Row> rows;
        if (spec.path("format").asText().equals("parquet")) {
            rows = new ParquetFiles(spark, spec, files, conf).rows(spec.path("groups"));
        } else {
            Format format = format(spec);
            int partitions = Math.max(1, spec.path("partitions").asInt(PARTITIONS));
            rows = rows(spark, Slices.of(conf, files, partitions, format.isCut()), format, conf);
        }
        if (spec.path("sample").isNumber()) {
            double share = spec.path("sample").asDouble();
            long seed = spec.path("seed").asLong();
            rows = rows.filter(row -> isSampled(row, share, seed));
        }
        JavaRDD<Row> counted = rows.map(row -> {
            read.add(1);
            return row;
        });
        return spark.createDataFrame(counted, Record.SCHEMA);
    }

    private static Format format(JsonNode spec) {
        String name = spec.path("format").asText();
        switch (name) {
            case "csv":
                return new CsvFile(spec);
            case "jsonl":
            case "text":
                return new Lines(spec);
            default:
                throw new IllegalArgumentException("unknown format " + name + "; there are: csv, jsonl, parquet, text");
        }
    }

    private static JavaRDD<Row> rows(SparkSession spark, List<Slices.Group> groups, Format format, Configuration conf) {
        List<Tuple2<ArrayList<Slice>, Seq<String>>> placed = new ArrayList<>();
        groups.forEach(group -> placed.add(new Tuple2<>(group.slices, seq(group.hosts))));
        ClassTag<ArrayList<Slice>> tag = ClassTag$.MODULE$.apply(ArrayList.class);
        RDD<ArrayList<Slice>> slices = spark.sparkContext().makeRDD(seq(placed), tag);
        SerializableConfiguration carried = new SerializableConfiguration(conf);
        return slices.toJavaRDD().mapPartitions(parts -> all(parts, format, carried.value()));
    }

    private static <T> Seq<T> seq(List<T> list) {
        return JavaConverters.asScalaBufferConverter(list).asScala().toSeq();
    }

    /** The rows of a task's slices, one slice open at a time, and closed also where the task ends early. */
    private static Rows all(Iterator<ArrayList<Slice>> parts, Format format, Configuration conf) {
        Iterator<Slice> slices = parts.hasNext() ? parts.next().iterator() : Collections.emptyIterator();
        Rows all = new Rows("the input") {
            private Rows current;

            @Override
            void open() {
                // Each slice is opened as its turn comes.
            }

            @Override
            Row read() throws IOException {
                while (current == null || !current.hasNext()) {
                    if (!slices.hasNext()) {
                        return null;
                    }
                    close();
                    current = format.rows(slices.next(), conf);
                }
                return current.next();
            }

            @Override
            public void close() throws IOException {
                if (current != null) {
                    current.close();
                }
            }
        };
        TaskContext.get().addTaskCompletionListener((TaskCompletionListener) context -> closeQuietly(all));
        return all;
    }

    private static void closeQuietly(Rows rows) {
        try {
            rows.close();
        } catch (IOException ignored) {
            // What has been read is complete or has failed already.
        }
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
