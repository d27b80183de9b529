package io.textmill.embed;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

/**
 * Rows as token ids, in partitions whose number and content, and in an order that, depend on the rows and the seed
 * alone: what is trained on them does not depend on cores or on how the rows were stored.
 */
final class Corpus implements AutoCloseable {
    final JavaSparkContext context;
    final Vocabulary vocabulary;
    final JavaRDD<Sentences> partitions;

    private Corpus(JavaSparkContext context, Vocabulary vocabulary, JavaRDD<Sentences> partitions) {
        this.context = context;
        this.vocabulary = vocabulary;
        this.partitions = partitions;
    }

    /** {@code rows} has one column: arrays of tokens. */
    static Corpus of(Dataset<Row> rows, String vocabularyFile, Settings settings) throws IOException {
        JavaSparkContext context = JavaSparkContext.fromSparkContext(rows.sparkSession().sparkContext());
        Vocabulary vocabulary = Vocabulary.read(rows.sparkSession(), vocabularyFile, settings.minCount);
        Broadcast<Vocabulary> shared = context.broadcast(vocabulary);
        long seed = settings.seed;
        JavaRDD<Sentences> partitions = rows.toJavaRDD()
                .map(row -> shared.value().encode(row.<String>getSeq(0)))
                .filter(words -> words.length > 1)
                .mapToPair(words -> new Tuple2<>(key(words, seed), words))
                .partitionBy(new HashPartitioner(partitions(vocabulary.total, settings.partitionTokens)))
                .mapPartitions(Corpus::ordered)
                .persist(StorageLevel.MEMORY_AND_DISK());
        return new Corpus(context, vocabulary, partitions);
    }

    int size() {
        return partitions.getNumPartitions();
    }

    @Override
    public void close() {
        partitions.unpersist();
    }

    /** A power of two, so that the usual numbers of cores share them equally. */
    private static int partitions(long tokens, long each) {
        long wanted = Math.max(1, Math.min(1024, (tokens + each - 1) / each));
        return (int) Math.max(1, Long.highestOneBit(2 * wanted - 1));
    }

    private static Iterator<Sentences> ordered(Iterator<Tuple2<Long, int[]>> keyed) {
        List<Tuple2<Long, int[]>> rows = new ArrayList<>();
        keyed.forEachRemaining(rows::add);
        rows.sort(Comparator.<Tuple2<Long, int[]>, Long>comparing(row -> row._1())
                .thenComparing(row -> row._2(), Arrays::compare));
        List<int[]> words = new ArrayList<>(rows.size());
        rows.forEach(row -> words.add(row._2()));
        return Collections.singletonList(new Sentences(words)).iterator();
    }

    private static long key(int[] words, long seed) {
        long hash = mixed(seed + 0x9E3779B97F4A7C15L);
        for (int word : words) {
            hash = mixed(hash * 31 + word);
        }
        return hash;
    }

    /** The finalizer of MurmurHash3: every bit of the input reaches every bit of the result. */
    static long mixed(long value) {
        long hash = (value ^ value >>> 33) * 0xFF51AFD7ED558CCDL;
        hash = (hash ^ hash >>> 33) * 0xC4CEB9FE1A85EC53L;
        return hash ^ hash >>> 33;
    }
}
