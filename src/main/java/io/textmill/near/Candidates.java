package io.textmill.near;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.Tuple2;

/** Pairs of documents that share a bucket: what is worth comparing. */
public final class Candidates {
    private static final StructType SCHEMA =
            new StructType().add("a", DataTypes.LongType).add("b", DataTypes.LongType);

    /** Each document of a large bucket is paired with its first and with so many that follow it by key. */
    private static final int NEIGHBOURS = 64;

    private Candidates() {}

    /**
     * Columns a and b, a below b, a pair possibly several times. {@code documents} has the columns key (long) and text.
     * Parameters: unit, ngram, bands, rows, seed, partitions.
     *
     * <p>A bucket of up to 64 documents gives all its pairs. In a larger one, each is paired with the first of the
     * bucket and the 64 after it, so that pairs grow with the documents and not with their square; such buckets come
     * from mass copies, whose members are linked over each other all the same.
     */
    public static Dataset<Row> of(Dataset<Row> documents, String paramsJson) throws IOException {
        JsonNode params = new ObjectMapper().readTree(paramsJson);
        Shingles shingles = new Shingles(params.path("unit").asText(), params.path("ngram").asInt());
        MinHash hash = new MinHash(
                params.path("bands").asInt(), params.path("rows").asInt(), params.path("seed").asLong());
        int partitions = params.path("partitions").asInt();
        JavaRDD<Row> pairs = documents.select("key", "text").toJavaRDD()
                .mapPartitionsToPair(rows -> new Buckets.Blocks(banded(rows, shingles, hash), partitions))
                .partitionBy(new HashPartitioner(partitions))
                .mapPartitions(blocks -> pairs(Buckets.sorted(blocks)));
        return documents.sparkSession().createDataFrame(pairs, SCHEMA);
    }

    private static Iterator<Buckets.Bands> banded(Iterator<Row> rows, Shingles shingles, MinHash hash) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Buckets.Bands next() {
                Row row = rows.next();
                long[] set = shingles.of(row.getString(1));
                return new Buckets.Bands(row.getLong(0), set.length == 0 ? set : hash.bands(set));
            }
        };
    }

    /** Bucket after bucket, document after document: however large a bucket is, few of its pairs are in memory. */
    private static Iterator<Row> pairs(long[] sorted) {
        List<Row> found = new ArrayList<>();
        return new Iterator<>() {
            private int at;
            private long[] keys = {};
            private int first;

            @Override
            public boolean hasNext() {
                while (found.isEmpty() && (first < keys.length || at < sorted.length)) {
                    if (first < keys.length) {
                        pair(keys, first++, found);
                    } else {
                        int end = Buckets.end(sorted, at);
                        keys = Buckets.keys(sorted, at, end);
                        at = end;
                        first = 0;
                    }
                }
                return !found.isEmpty();
            }

            @Override
            public Row next() {
                hasNext();
                return found.remove(found.size() - 1);
            }
        };
    }

    private static void pair(long[] keys, int i, List<Row> found) {
        int last = Math.min(keys.length - 1, i + NEIGHBOURS);
        for (int j = i + 1; j <= last; j++) {
            found.add(RowFactory.create(keys[i], keys[j]));
        }
        if (i > NEIGHBOURS) {
            found.add(RowFactory.create(keys[0], keys[i]));
        }
    }
}
