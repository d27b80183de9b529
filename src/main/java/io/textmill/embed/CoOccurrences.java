package io.textmill.embed;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaRDD;
import scala.Tuple2;

/**
 * How often two tokens stand within a window of each other, weighted by 1 / distance (Pennington et al. 2014); in a
 * whole row every pair counts 1. Counted in Spark, in fixed point, so that the sums don't depend on their order.
 */
final class CoOccurrences {
    private static final double UNIT = 1 << 24;
    /** Pairs that a task keeps before it hands them on: bounds its memory, whatever the partition's size. */
    private static final int HELD = 2_000_000;
    /** About as many pairs as a task may send to the driver at once (Kryo's buffer holds 64 MB). */
    private static final long PAIRS_PER_TASK = 4_000_000;

    private CoOccurrences() {}

    /** Cells of the matrix in {@code blocks}² groups, by row and column modulo {@code blocks}, each in order. */
    static List<Cells> count(Corpus corpus, int window, int blocks) {
        long expected = corpus.vocabulary.total * Math.max(window, 8);
        int tasks = (int) Math.max(1, Math.min(64, expected / PAIRS_PER_TASK / blocks / blocks));
        JavaRDD<Cells> cells = corpus.partitions
                .mapPartitions(rows -> new Counting(rows.next(), window))
                .mapToPair(pair -> pair)
                .reduceByKey(new Grid(blocks, tasks), Long::sum)
                .mapPartitions(pairs -> Collections.singletonList(new Cells(pairs)).iterator());
        List<Cells> parts = cells.collect();
        List<Cells> found = new ArrayList<>();
        for (int block = 0; block < blocks * blocks; block++) {
            found.add(Cells.joined(parts.subList(block * tasks, (block + 1) * tasks)));
        }
        return found;
    }

    static int row(long pair) {
        return (int) (pair >>> 32);
    }

    static int column(long pair) {
        return (int) pair;
    }

    static float weight(long count) {
        return (float) (count / UNIT);
    }

    /** A cell of the matrix goes to the group of its row and column, and within it to one of some tasks. */
    private static final class Grid extends Partitioner implements Serializable {
        private final int blocks;
        private final int tasks;

        Grid(int blocks, int tasks) {
            this.blocks = blocks;
            this.tasks = tasks;
        }

        @Override
        public int numPartitions() {
            return blocks * blocks * tasks;
        }

        @Override
        public int getPartition(Object key) {
            long pair = (Long) key;
            int block = row(pair) % blocks * blocks + column(pair) % blocks;
            return block * tasks + (int) Math.floorMod(Corpus.mixed(pair), (long) tasks);
        }
    }

    /** The counts of a partition's rows, handed on whenever enough of them have gathered. */
    private static final class Counting implements Iterator<Tuple2<Long, Long>> {
        private final Sentences rows;
        private final int window;
        private int next;
        private Iterator<Map.Entry<Long, Long>> gathered = Collections.emptyIterator();

        Counting(Sentences rows, int window) {
            this.rows = rows;
            this.window = window;
        }

        @Override
        public boolean hasNext() {
            while (!gathered.hasNext() && next < rows.rows()) {
                Map<Long, Long> counts = new HashMap<>();
                while (next < rows.rows() && counts.size() < HELD) {
                    count(next++, counts);
                }
                gathered = counts.entrySet().iterator();
            }
            return gathered.hasNext();
        }

        @Override
        public Tuple2<Long, Long> next() {
            if (!hasNext()) {
                throw new java.util.NoSuchElementException();
            }
            Map.Entry<Long, Long> entry = gathered.next();
            return new Tuple2<>(entry.getKey(), entry.getValue());
        }

        private void count(int row, Map<Long, Long> counts) {
            for (int i = rows.start(row); i < rows.start(row + 1); i++) {
                int first = window == 0 ? rows.start(row) : Math.max(rows.start(row), i - window);
                for (int j = first; j < i; j++) {
                    long weight = Math.round(window == 0 ? UNIT : UNIT / (i - j));
                    counts.merge((long) rows.word(i) << 32 | rows.word(j), weight, Long::sum);
                    counts.merge((long) rows.word(j) << 32 | rows.word(i), weight, Long::sum);
                }
            }
        }
    }
}
