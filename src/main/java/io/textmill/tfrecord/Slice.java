package io.textmill.tfrecord;

import io.textmill.files.GzipMembers;
import io.textmill.files.Unpacked;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.io.compress.GzipCodec;

/** A piece of a file for one task: the records that begin in [start, end), in bytes. */
final class Slice implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long start;
    private final long end;
    private final long fileLength;

    Slice(String file, long start, long end, long fileLength) {
        this.file = file;
        this.start = start;
        this.end = end;
        this.fileLength = fileLength;
    }

    /** Its bytes. */
    long length() {
        return Math.min(end, fileLength) - start;
    }

    /** Its records; offsets in a compressed file are those of the data in it. Raises UncheckedIOException. */
    RecordInput open(Configuration conf) {
        Path path = new Path(file);
        try {
            FSDataInputStream raw = path.getFileSystem(conf).open(path);
            CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(path);
            if (isGzip(raw)) {
                // Where the name does not say so, the file was cut, and all of it is read with its first piece.
                return unpacked(start == 0 ? new GzipMembers(raw) : InputStream.nullInputStream());
            }
            if (codec != null && !(codec instanceof GzipCodec)) {
                return unpacked(codec.createInputStream(raw));
            }
            raw.seek(start);
            return new RecordInput(file, new Window(raw, start), end < fileLength ? end : Long.MAX_VALUE, fileLength);
        } catch (IOException error) {
            throw new UncheckedIOException(file + " can't be opened: " + error.getMessage(), error);
        }
    }

    private RecordInput unpacked(InputStream data) {
        return new RecordInput(file + " (uncompressed)", new Window(data, 0), Long.MAX_VALUE, Long.MAX_VALUE);
    }

    /** By the first bytes; those may also be the length of a record, but then its checksum is right. */
    private static boolean isGzip(FSDataInputStream raw) throws IOException {
        byte[] head = raw.readNBytes(12);
        raw.seek(0);
        if (!Unpacked.isGzip(head) || head.length < 12) {
            return false;
        }
        int stored = ByteBuffer.wrap(head, 8, 4).order(ByteOrder.LITTLE_ENDIAN).getInt();
        return new MaskedCrc().of(head, 0, 8) != stored;
    }
}
