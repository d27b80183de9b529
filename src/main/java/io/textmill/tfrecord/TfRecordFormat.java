package io.textmill.tfrecord;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.mapreduce.Job;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.CompressionCodecs;
import org.apache.spark.sql.execution.datasources.FileFormat;
import org.apache.spark.sql.execution.datasources.OutputWriterFactory;
import org.apache.spark.sql.execution.datasources.PartitionedFile;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import scala.Function1;
import scala.Option;
import scala.collection.Iterator;
import scala.collection.Seq;
import scala.collection.immutable.Map;

/**
 * The data source {@code tfrecord}: TensorFlow's record files. Partitioning, save modes, committers and the finding of
 * files are Spark's own.
 */
public final class TfRecordFormat implements FileFormat, DataSourceRegister {
    /** Made once: Spark asks about each file. */
    private CompressionCodecFactory codecs;

    @Override
    public String shortName() {
        return "tfrecord";
    }

    /** What Spark's own errors call the format. */
    @Override
    public String toString() {
        return "TFRecord";
    }

    @Override
    public boolean supportDataType(DataType type) {
        return Kind.depth(type) <= 2 && Kind.of(Kind.element(type)) != null;
    }

    @Override
    public OutputWriterFactory prepareWrite(
            SparkSession spark, Job job, Map<String, String> given, StructType schema) {
        Options options = new Options(given);
        options.recordType.check(schema);
        CompressionCodecs.setCodecConfiguration(job.getConfiguration(), options.codec);
        return new RecordOutputFactory(options.recordType);
    }

    @Override
    public boolean isSplitable(SparkSession spark, Map<String, String> given, Path path) {
        if (codecs == null) {
            codecs = new CompressionCodecFactory(spark.sessionState().newHadoopConf());
        }
        return new Options(given).split && codecs.getCodec(path) == null;
    }

    @Override
    public Option<StructType> inferSchema(SparkSession spark, Map<String, String> given, Seq<FileStatus> files) {
        return Option.apply(Inference.schema(spark, new Options(given), files));
    }

    @Override
    public Function1<PartitionedFile, Iterator<InternalRow>> buildReader(
            SparkSession spark,
            StructType dataSchema,
            StructType partitionSchema,
            StructType requiredSchema,
            Seq<Filter> filters,
            Map<String, String> given,
            Configuration conf) {
        RecordType type = new Options(given).recordType;
        type.check(dataSchema);
        Broadcast<SerializableConfiguration> shared = JavaSparkContext.fromSparkContext(spark.sparkContext())
                .broadcast(new SerializableConfiguration(conf));
        return new RecordReader(type, requiredSchema, shared);
    }
}
