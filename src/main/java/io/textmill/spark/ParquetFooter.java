package io.textmill.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Comparator;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.PageEncodingStats;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;

/**
 * Makes the bytes of a Parquet file depend on its content alone.
 *
 * <p>Parquet's Java writer (1.13) lists the encodings of a column in the order of a hash set of enum constants, which
 * differs from one JVM to the next. The order means nothing; here it becomes that of the constants.
 */
public final class ParquetFooter {
    private static final int TAIL = 8;

    private ParquetFooter() {}

    /** Rewrites the footer of a local file in place. */
    public static void canonicalize(String path) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path, "rw")) {
            long end = file.length() - TAIL;
            file.seek(end);
            byte[] footer = new byte[Integer.reverseBytes(file.readInt())];
            long start = end - footer.length;
            file.seek(start);
            file.readFully(footer);
            byte[] sorted = sorted(footer);
            file.seek(start);
            file.write(sorted);
            file.writeInt(Integer.reverseBytes(sorted.length));
            file.write("PAR1".getBytes(StandardCharsets.US_ASCII));
            file.setLength(file.getFilePointer());
        }
    }

    private static byte[] sorted(byte[] footer) throws IOException {
        FileMetaData metadata = Util.readFileMetaData(new ByteArrayInputStream(footer));
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
        ByteArrayOutputStream out = new ByteArrayOutputStream(footer.length);
        Util.writeFileMetaData(metadata, out);
        return out.toByteArray();
    }
}
