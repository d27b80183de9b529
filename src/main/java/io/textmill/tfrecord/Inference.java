package io.textmill.tfrecord;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/** Finds the schema of files from their records, by a job of Spark's. */
final class Inference {
    private Inference() {}

    /** All features of all records looked at, by name; null where there is none. Raises Malformed for a conflict. */
    static StructType schema(SparkSession spark, Options options, Seq<FileStatus> files) {
        if (options.recordType == RecordType.BYTE_ARRAY) {
            return RecordType.BYTES;
        }
        List<Slice> slices = slices(spark, options, JavaConverters.seqAsJavaList(files));
        if (slices.isEmpty()) {
            return null;
        }
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        Broadcast<SerializableConfiguration> conf =
                context.broadcast(new SerializableConfiguration(spark.sessionState().newHadoopConf()));
        TreeMap<String, SeenFeature> seen = context.parallelize(slices, tasks(spark.sessionState().conf(), slices))
                .map(slice -> features(slice, options, conf.value().value()))
                .reduce(Inference::merge);
        StructType schema = new StructType();
        for (SeenFeature feature : seen.values()) {
            schema = feature.isTyped() ? schema.add(feature.name, feature.type()) : schema;
        }
        return schema.isEmpty() ? null : schema;
    }

    /** As many tasks as Spark would read them by. */
    private static int tasks(SQLConf conf, List<Slice> slices) {
        long bytes = slices.stream().mapToLong(slice -> slice.length() + conf.filesOpenCostInBytes()).sum();
        return (int) Math.min(slices.size(), bytes / conf.filesMaxPartitionBytes() + 1);
    }

    private static List<Slice> slices(SparkSession spark, Options options, List<FileStatus> files) {
        long most = spark.sessionState().conf().filesMaxPartitionBytes();
        CompressionCodecFactory codecs = new CompressionCodecFactory(spark.sessionState().newHadoopConf());
        boolean isCut = options.split && options.sampleRecords == Long.MAX_VALUE;
        List<Slice> slices = new ArrayList<>();
        for (FileStatus file : files) {
            long length = file.getLen();
            long step = isCut && codecs.getCodec(file.getPath()) == null ? most : Math.max(1, length);
            for (long start = 0; start < length; start += step) {
                slices.add(new Slice(file.getPath().toString(), start, start + step, length));
            }
        }
        return slices;
    }

    private static TreeMap<String, SeenFeature> features(Slice slice, Options options, Configuration conf) {
        try (RecordInput input = slice.open(conf)) {
            Features features = new Features(options.recordType, input);
            for (long i = 0; i < options.sampleRecords && input.next(); i++) {
                features.look();
            }
            return features.seen;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static TreeMap<String, SeenFeature> merge(
            TreeMap<String, SeenFeature> one, TreeMap<String, SeenFeature> other) {
        other.forEach((name, feature) -> one.merge(name, feature, SeenFeature::merge));
        return one;
    }

    /** Looks at all features of the records of a slice. */
    private static final class Features extends FeatureMaps {
        private final TreeMap<String, SeenFeature> seen = new TreeMap<>();
        private final RecordInput input;
        private final Wire wire = new Wire();
        private final FeatureValues values = new FeatureValues();

        Features(RecordType type, RecordInput input) {
            super(type);
            this.input = input;
        }

        void look() {
            wire.over(input.array(), input.from(), input.to());
            try {
                message(wire);
            } catch (Malformed problem) {
                throw problem.at(input.file(), input.offset());
            }
        }

        @Override
        void feature(int keyFrom, int keyTo) {
            SeenFeature feature = named(keyFrom, keyTo);
            values.read(wire);
            feature.add(values, wire.bytes, false, input);
        }

        @Override
        void featureList(int keyFrom, int keyTo) {
            SeenFeature feature = named(keyFrom, keyTo);
            while (wire.hasMore()) {
                int tag = wire.tag();
                if (tag == FIRST) {
                    int outer = wire.enter();
                    values.read(wire);
                    wire.leave(outer);
                    feature.add(values, wire.bytes, true, input);
                } else {
                    wire.skip(tag);
                }
            }
        }

        private SeenFeature named(int from, int to) {
            String name = new String(wire.bytes, from, to - from, StandardCharsets.UTF_8);
            return seen.computeIfAbsent(name, SeenFeature::new);
        }
    }
}
