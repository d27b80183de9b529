package io.textmill.spark;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.hadoop.fs.Path;

/** Counts the records of a TFRecord file that is not compressed: each is its length, a checksum, its data, a checksum. */
final class RecordFile {
    private static final int CHECKSUM = 4;

    private RecordFile() {}

    /** Reads to the end of {@code in}; throws IOException where the file ends inside a record. */
    static long rows(InputStream in, Path file) throws IOException {
        byte[] head = new byte[Long.BYTES];
        byte[] buffer = new byte[1 << 16];
        long rows = 0;
        for (int read; (read = in.readNBytes(head, 0, head.length)) > 0; rows++) {
            long left = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong() + 2 * CHECKSUM;
            while (read == head.length && left > 0) {
                int part = in.readNBytes(buffer, 0, (int) Math.min(left, buffer.length));
                left = part == 0 ? -1 : left - part;
            }
            if (left != 0) {
                throw new EOFException(file + " ends inside record " + rows);
            }
        }
        return rows;
    }
}
