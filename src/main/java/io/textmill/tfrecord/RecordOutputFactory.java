package io.textmill.tfrecord;

import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.spark.sql.execution.datasources.CodecStreams;
import org.apache.spark.sql.execution.datasources.OutputWriter;
import org.apache.spark.sql.execution.datasources.OutputWriterFactory;
import org.apache.spark.sql.types.StructType;

/** Opens the files of a write, on the executors. */
final class RecordOutputFactory extends OutputWriterFactory {
    private static final long serialVersionUID = 1L;

    private final RecordType type;

    RecordOutputFactory(RecordType type) {
        this.type = type;
    }

    @Override
    public String getFileExtension(TaskAttemptContext context) {
        return ".tfrecord" + CodecStreams.getCompressionExtension(context);
    }

    @Override
    public OutputWriter newInstance(String path, StructType schema, TaskAttemptContext context) {
        return new RecordOutput(path, RecordEncoder.of(type, schema), context);
    }
}
