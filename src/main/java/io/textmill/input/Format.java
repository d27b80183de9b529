package io.textmill.input;

import io.textmill.files.Unpacked;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;

/** How the records of a file are told apart and understood. */
interface Format extends Serializable {
    /** Whether reading can start in the middle of a file. */
    boolean isCut();

    /** The rows of a slice, in its order. */
    Rows rows(Slice slice, Configuration conf);

    /** The reason of records with bytes that are no text in {@code encoding}, which is null for UTF-8. */
    static String unreadable(String encoding) {
        return encoding == null ? "invalid_utf8" : "invalid_encoding";
    }

    /** The bytes of a file from a position on: from its beginning unpacked, and as UTF-8 where it has another encoding. */
    static InputStream open(Slice slice, String encoding, Configuration conf) throws IOException {
        Path path = new Path(slice.file);
        FSDataInputStream raw = path.getFileSystem(conf).open(path);
        try {
            if (slice.start > 0) {
                raw.seek(slice.start);
                return raw;
            }
            InputStream content = Unpacked.of(raw);
            return encoding == null ? content : new Transcoded(content, encoding);
        } catch (IOException | RuntimeException error) {
            raw.close();
            throw error;
        }
    }
}
