package io.textmill.tfrecord;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.execution.datasources.CodecStreams;
import org.apache.spark.sql.execution.datasources.OutputWriter;

/** Writes the rows of one task to one file: for each its length, the length's checksum, the data and the data's. */
final class RecordOutput extends OutputWriter {
    private final String path;
    private final RecordEncoder encoder;
    private final OutputStream out;
    private final ReverseBuffer record = new ReverseBuffer();
    private final MaskedCrc crc = new MaskedCrc();

    RecordOutput(String path, RecordEncoder encoder, TaskAttemptContext context) {
        this.path = path;
        this.encoder = encoder;
        out = new BufferedOutputStream(CodecStreams.createOutputStream(context, new Path(path)), 1 << 20);
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public void write(InternalRow row) {
        record.clear();
        record.putInt(0);
        encoder.encode(row, record);
        int length = record.size() - 4;
        int start = record.start();
        putInt(record.array(), start + length, crc.of(record.array(), start, length));
        record.putInt(0);
        record.putLong(length);
        start = record.start();
        putInt(record.array(), start + 8, crc.of(record.array(), start, 8));
        try {
            out.write(record.array(), start, record.size());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static void putInt(byte[] bytes, int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >>> 8 * i);
        }
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
