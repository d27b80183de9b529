package io.textmill.embed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.spark.HashPartitioner;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/**
 * Skip-gram on a cluster: every partition trains a copy of the weights in one thread, and the copies are averaged
 * several times an epoch (parameter mixing, McDonald et al. 2010). Lock-free threads on shared weights would be no
 * faster with as many partitions as cores, and would give other vectors every time.
 */
final class Word2Vec {
    /** Often enough that the copies stay close: once an epoch, neighbours of rare words were visibly worse. */
    private static final int ROUNDS_PER_EPOCH = 4;
    private static final int BLOCK_ROWS = 4096;

    private final Corpus corpus;
    private final Settings settings;
    private final int rounds;

    Word2Vec(Corpus corpus, Settings settings) {
        this.corpus = corpus;
        this.settings = settings;
        rounds = settings.epochs * ROUNDS_PER_EPOCH;
    }

    /** The vectors by id, size numbers each, row by row; what has no vector of its own has an arbitrary one. */
    float[] train() {
        Broadcast<Vocabulary> vocabulary = corpus.context.broadcast(corpus.vocabulary);
        float[] weights = start();
        for (int round = 0; round < rounds; round++) {
            Broadcast<float[]> before = corpus.context.broadcast(weights);
            weights = round(round, vocabulary, before);
            before.destroy();
        }
        vocabulary.destroy();
        return Arrays.copyOf(weights, corpus.vocabulary.size() * settings.size);
    }

    private float[] start() {
        int vectors = Math.multiplyExact(corpus.vocabulary.size(), settings.size);
        float[] weights = new float[Math.multiplyExact(2, vectors)];
        SplittableRandom random = new SplittableRandom(settings.seed);
        for (int i = 0; i < vectors; i++) {
            weights[i] = (float) ((random.nextDouble() - 0.5) / settings.size);
        }
        return weights;
    }

    private float[] round(int round, Broadcast<Vocabulary> vocabulary, Broadcast<float[]> before) {
        Settings given = settings;
        int of = rounds;
        int blocks = (2 * corpus.vocabulary.size() + BLOCK_ROWS - 1) / BLOCK_ROWS;
        List<Tuple2<Integer, float[]>> means = corpus.partitions
                .mapPartitionsWithIndex((index, rows) ->
                        trained(index, rows.next(), given, round, of, vocabulary.value(), before.value()), true)
                .mapToPair(block -> block)
                .groupByKey(new HashPartitioner(blocks))
                .mapValues(Word2Vec::mean)
                .collect();
        float[] weights = new float[before.value().length];
        for (Tuple2<Integer, float[]> mean : means) {
            System.arraycopy(mean._2(), 0, weights, mean._1() * BLOCK_ROWS * settings.size, mean._2().length);
        }
        return weights;
    }

    private static float[] mean(Iterable<Block> blocks) {
        List<Block> list = new ArrayList<>();
        blocks.forEach(list::add);
        return Block.mean(list);
    }

    private static Iterator<Tuple2<Integer, Block>> trained(int partition, Sentences rows, Settings settings, int round,
            int rounds, Vocabulary vocabulary, float[] before) {
        float[] weights = before.clone();
        long seed = Corpus.mixed(Corpus.mixed(settings.seed + 31L * round) + partition);
        SkipGram model = new SkipGram(settings, vocabulary, weights, seed);
        int slice = round % ROUNDS_PER_EPOCH;
        int from = (int) ((long) rows.rows() * slice / ROUNDS_PER_EPOCH);
        int until = (int) ((long) rows.rows() * (slice + 1) / ROUNDS_PER_EPOCH);
        model.train(rows, from, until, (double) round / rounds, (round + 1.0) / rounds);
        return blocks(partition, weights, model.updates(), settings.size);
    }

    private static Iterator<Tuple2<Integer, Block>> blocks(int partition, float[] weights, int[] updates, int size) {
        List<Tuple2<Integer, Block>> blocks = new ArrayList<>();
        for (int row = 0; row < updates.length; row += BLOCK_ROWS) {
            int end = Math.min(updates.length, row + BLOCK_ROWS);
            float[] values = Arrays.copyOfRange(weights, row * size, end * size);
            Block block = new Block(partition, values, Arrays.copyOfRange(updates, row, end));
            blocks.add(new Tuple2<>(row / BLOCK_ROWS, block));
        }
        return blocks.iterator();
    }
}
