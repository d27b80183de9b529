package io.textmill.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigInteger;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Gives the Parquet files and TFRecords that Spark has written their final names, and bytes that depend on their content
 * alone: a task for each file, where the file is. A task that runs twice does no harm.
 */
public final class PartFiles {
    private static final int MOST_TASKS = 4000;
    private static final int BUFFER = 1 << 20;

    private PartFiles() {}

    /**
     * Takes {@code [[from, to], …]} as JSON and returns {@code [[rows, SHA-256], …]} in that order. The folders
     * of {@code to} must be there; files of {@code from} may stay.
     */
    public static String settle(SparkSession spark, String movesJson) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<String[]> moves = new ArrayList<>();
        for (JsonNode move : mapper.readTree(movesJson)) {
            moves.add(new String[] {move.get(0).asText(), move.get(1).asText()});
        }
        if (moves.isEmpty()) {
            return "[]";
        }
        SerializableConfiguration conf = new SerializableConfiguration(spark.sessionState().newHadoopConf());
        return mapper.writeValueAsString(JavaSparkContext.fromSparkContext(spark.sparkContext())
                .parallelize(moves, Math.min(moves.size(), MOST_TASKS))
                .map(move -> settle(new Path(move[0]), new Path(move[1]), conf.value()))
                .collect());
    }

    private static String[] settle(Path from, Path to, Configuration conf) throws IOException {
        FileSystem system = from.getFileSystem(conf);
        if (system instanceof LocalFileSystem) {
            // The checksum files it keeps beside would be those of the bytes before.
            system = ((LocalFileSystem) system).getRaw();
        }
        if (system.exists(from)) {
            move(system, from, to);
        }
        InputStream in = new BufferedInputStream(system.open(to), BUFFER);
        try (DigestInputStream whole = new DigestInputStream(in, sha256())) {
            long rows = isRecords(to) ? RecordFile.rows(whole, to) : ParquetFooter.read(system, to).rows();
            byte[] buffer = new byte[BUFFER];
            while (whole.read(buffer) >= 0) {
                // The digest sees all that is read.
            }
            return new String[] {
                Long.toString(rows),
                String.format("%064x", new BigInteger(1, whole.getMessageDigest().digest()))
            };
        }
    }

    private static boolean isRecords(Path file) {
        return file.getName().endsWith(".tfrecord");
    }

    private static void move(FileSystem system, Path from, Path to) throws IOException {
        Path source = from;
        if (!isRecords(to)) {
            source = sorted(system, from);
        }
        if (!system.rename(source, to) && !system.exists(to)) {
            throw new FileNotFoundException("can't rename " + source + " to " + to);
        }
    }

    /** Makes the bytes of a Parquet file depend on its content alone, and returns where they are then. */
    private static Path sorted(FileSystem system, Path from) throws IOException {
        ParquetFooter footer = ParquetFooter.read(system, from);
        Path source = from;
        if (!footer.isSorted()) {
            if (system instanceof RawLocalFileSystem) {
                footer.replaceIn(((RawLocalFileSystem) system).pathToFile(from));
            } else {
                source = from.suffix("." + TaskContext.get().taskAttemptId());
                copy(system, from, source, footer);
            }
        }
        return source;
    }

    private static void copy(FileSystem system, Path from, Path to, ParquetFooter footer) throws IOException {
        byte[] buffer = new byte[BUFFER];
        try (FSDataInputStream in = system.open(from);
                OutputStream out = system.create(to, true)) {
            for (long left = footer.start(); left > 0; ) {
                int read = in.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (read < 0) {
                    throw new IOException(from + " is shorter than it was");
                }
                out.write(buffer, 0, read);
                left -= read;
            }
            out.write(footer.sortedBytes());
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }
}
