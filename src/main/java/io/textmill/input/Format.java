package io.textmill.input;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/** How the records of a file are told apart and understood. */
interface Format extends Serializable {
    /** Whether reading can start in the middle of a file. */
    boolean isCut();

    /** The rows of a slice, in its order. */
    Rows rows(Slice slice, Configuration conf);

    /** The bytes of a file from a position on, decompressed as its extension says. */
    static InputStream open(Slice slice, Configuration conf) throws IOException {
        Path path = new Path(slice.file);
        FSDataInputStream raw = path.getFileSystem(conf).open(path);
        CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(path);
        if (codec != null) {
            return codec.createInputStream(raw);
        }
        raw.seek(slice.start);
        return raw;
    }
}
