package io.textmill.tfrecord;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.execution.datasources.PartitionedFile;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import scala.collection.JavaConverters;
import scala.runtime.AbstractFunction1;

/** Reads the rows of a piece of a file, on the executors. */
final class RecordReader extends AbstractFunction1<PartitionedFile, scala.collection.Iterator<InternalRow>>
        implements Serializable {
    private static final long serialVersionUID = 1L;

    private final RecordType type;
    private final StructType schema;
    private final Broadcast<SerializableConfiguration> conf;

    RecordReader(RecordType type, StructType schema, Broadcast<SerializableConfiguration> conf) {
        this.type = type;
        this.schema = schema;
        this.conf = conf;
    }

    @Override
    public scala.collection.Iterator<InternalRow> apply(PartitionedFile piece) {
        Slice slice = new Slice(
                piece.toPath().toString(), piece.start(), piece.start() + piece.length(), piece.fileSize());
        RecordInput input = slice.open(conf.value().value());
        TaskContext task = TaskContext.get();
        if (task != null) {
            TaskCompletionListener closing = done -> close(input);
            task.addTaskCompletionListener(closing);
        }
        return JavaConverters.asScalaIterator(new Rows(input, RecordDecoder.of(type, schema)));
    }

    private static void close(RecordInput input) {
        try {
            input.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static final class Rows implements Iterator<InternalRow> {
        private final RecordInput input;
        private final RecordDecoder decoder;
        private boolean isAsked;
        private boolean hasNext;

        Rows(RecordInput input, RecordDecoder decoder) {
            this.input = input;
            this.decoder = decoder;
        }

        @Override
        public boolean hasNext() {
            if (!isAsked) {
                hasNext = input.next();
                isAsked = true;
                if (!hasNext) {
                    close(input);
                }
            }
            return hasNext;
        }

        @Override
        public InternalRow next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            isAsked = false;
            try {
                return decoder.decode(input.array(), input.from(), input.to());
            } catch (Malformed problem) {
                throw problem.at(input.file(), input.offset());
            }
        }
    }
}
