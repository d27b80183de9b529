package io.textmill.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.PageEncodingStats;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;

/**
 * The footer of a Parquet file, and what it would be if it depended on the file's content alone.
 *
 * <p>Parquet's Java writer (1.13) lists the encodings of a column in the order of a hash set of enum constants, which
 * differs from one JVM to the next. The order means nothing; here it becomes that of the constants.
 */
final class ParquetFooter {
    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);
    private static final int TAIL = 4 + MAGIC.length;

    private final long start;
    private final byte[] written;
    private final byte[] sorted;
    private final long rows;

    private ParquetFooter(long start, byte[] written) throws IOException {
        this.start = start;
        this.written = written;
        FileMetaData metadata = Util.readFileMetaData(new ByteArrayInputStream(written));
        rows = metadata.getNum_rows();
        sorted = sorted(metadata);
    }

    /** Reads the footer of a file; throws IOException where it is no Parquet file. */
    static ParquetFooter read(FileSystem system, Path path) throws IOException {
        long end = system.getFileStatus(path).getLen() - TAIL;
        try (FSDataInputStream in = system.open(path)) {
            byte[] tail = new byte[TAIL];
            in.readFully(Math.max(0, end), tail);
            int length = ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN).getInt();
            if (!Arrays.equals(tail, 4, TAIL, MAGIC, 0, MAGIC.length) || length < 0 || length > end) {
                throw new IOException(path + " is no Parquet file");
            }
            byte[] footer = new byte[length];
            in.readFully(end - length, footer);
            return new ParquetFooter(end - length, footer);
        }
    }

    /** Rows of the file. */
    long rows() {
        return rows;
    }

    /** Bytes before the footer. */
    long start() {
        return start;
    }

    /** Whether the footer is what it should be. */
    boolean isSorted() {
        return Arrays.equals(written, sorted);
    }

    /** All that follows the data: the footer in order, its length, and Parquet's mark. */
    byte[] sortedBytes() {
        ByteBuffer bytes = ByteBuffer.allocate(sorted.length + TAIL).order(ByteOrder.LITTLE_ENDIAN);
        return bytes.put(sorted).putInt(sorted.length).put(MAGIC).array();
    }

    /** Writes the footer in order over that of a local file. */
    void replaceIn(File local) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(local, "rw")) {
            file.seek(start);
            file.write(sortedBytes());
            file.setLength(file.getFilePointer());
        }
    }

    private static byte[] sorted(FileMetaData metadata) throws IOException {
        for (RowGroup group : metadata.getRow_groups()) {
            for (ColumnChunk column : group.getColumns()) {
                ColumnMetaData described = column.getMeta_data();
                Collections.sort(described.getEncodings());
                if (described.isSetEncoding_stats()) {
                    described.getEncoding_stats().sort(Comparator.comparing(PageEncodingStats::getPage_type)
                            .thenComparing(PageEncodingStats::getEncoding));
                }
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Util.writeFileMetaData(metadata, out);
        return out.toByteArray();
    }
}
