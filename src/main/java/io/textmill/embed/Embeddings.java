package io.textmill.embed;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Trains word vectors on rows of tokens and leaves them in a file, for Python to read. */
public final class Embeddings {
    private Embeddings() {}

    /**
     * Trains by {@code method} (word2vec, glove) on {@code rows}, one column of token arrays, and writes the vectors of
     * all ids of the vocabulary to the local file {@code out}: little-endian float32, row by row. Ids without a vector
     * of their own (padding, unknown, rare tokens) have arbitrary numbers there.
     */
    public static void train(Dataset<Row> rows, String vocabularyFile, String method, String params, String out)
            throws IOException {
        Settings settings = new Settings(params);
        try (Corpus corpus = Corpus.of(rows, vocabularyFile, settings)) {
            write(vectors(corpus, method, settings), settings.size, Path.of(out));
        }
    }

    private static float[] vectors(Corpus corpus, String method, Settings settings) {
        switch (method) {
            case "word2vec":
                return new Word2Vec(corpus, settings).train();
            case "glove":
                return new Glove(corpus, settings).train();
            default:
                throw new IllegalArgumentException("unknown method " + method + "; there are: word2vec, glove");
        }
    }

    private static void write(float[] vectors, int size, Path out) throws IOException {
        ByteBuffer row = ByteBuffer.allocate(size * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try (OutputStream stream = new BufferedOutputStream(Files.newOutputStream(out))) {
            for (int start = 0; start < vectors.length; start += size) {
                row.clear();
                row.asFloatBuffer().put(vectors, start, size);
                stream.write(row.array());
            }
        }
    }
}
