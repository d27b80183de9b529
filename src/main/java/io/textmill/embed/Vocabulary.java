package io.textmill.embed;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;

/** The tokens that get a vector, numbered as in vocabulary.tsv (the first line is 2), and how often each was seen. */
final class Vocabulary implements Serializable {
    private static final int FIRST = 2;

    private final Map<String, Integer> ids = new HashMap<>();
    /** Occurrences by id; 0 for padding, for unknown tokens and for tokens rarer than the least count. */
    final long[] counts;
    /** Occurrences of all tokens that get a vector. */
    final long total;

    private Vocabulary(List<String> lines, long minCount) {
        counts = new long[lines.size() + FIRST];
        long sum = 0;
        for (int line = 0; line < lines.size(); line++) {
            int tab = lines.get(line).lastIndexOf('\t');
            long count = Long.parseLong(lines.get(line).substring(tab + 1));
            if (count >= minCount) {
                ids.put(lines.get(line).substring(0, tab), line + FIRST);
                counts[line + FIRST] = count;
                sum += count;
            }
        }
        total = sum;
    }

    /** Reads vocabulary.tsv; a path without a scheme is one of Spark's default file system. */
    static Vocabulary read(SparkSession spark, String file, long minCount) throws IOException {
        Path path = new Path(file);
        List<String> lines = new ArrayList<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                path.getFileSystem(spark.sessionState().newHadoopConf()).open(path), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        }
        return new Vocabulary(lines, minCount);
    }

    int size() {
        return counts.length;
    }

    /** The ids of the tokens that have one; the others are as if they were not there, as in word2vec's own program. */
    int[] encode(scala.collection.Seq<String> tokens) {
        int[] found = new int[tokens.size()];
        int used = 0;
        scala.collection.Iterator<String> each = tokens.iterator();
        while (each.hasNext()) {
            Integer id = ids.get(each.next());
            if (id != null) {
                found[used++] = id;
            }
        }
        return java.util.Arrays.copyOf(found, used);
    }
}
