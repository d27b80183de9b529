package io.textmill.embed;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * GloVe (Pennington et al. 2014): vectors whose products are the logarithms of the co-occurrences, by AdaGrad.
 *
 * <p>The counts are made in Spark; training runs in the driver's threads. The cells are divided into blocks by row and
 * column, and those blocks run together that share neither (Gemulla et al. 2011, "Large-scale matrix factorization with
 * distributed stochastic gradient descent"): no thread waits, and the result does not depend on how many there are.
 */
final class Glove {
    private static final int BLOCKS = 8;
    private static final double POWER = 0.75;

    private final Settings settings;
    private final List<Cells> blocks;
    private final Side words;
    private final Side contexts;

    Glove(Corpus corpus, Settings settings) {
        this.settings = settings;
        blocks = CoOccurrences.count(corpus, settings.window, BLOCKS);
        words = new Side(corpus.vocabulary.size(), settings.size, settings.seed);
        contexts = new Side(corpus.vocabulary.size(), settings.size, settings.seed + 1);
    }

    /** The sums of the tokens' two vectors by id, as the authors recommend. */
    float[] train() {
        for (int epoch = 0; epoch < settings.epochs; epoch++) {
            for (int diagonal = 0; diagonal < BLOCKS; diagonal++) {
                stratum(epoch, diagonal);
            }
        }
        float[] sum = words.vectors.clone();
        Vectors.add(sum, 0, 1, contexts.vectors, 0, sum.length);
        return sum;
    }

    private void stratum(int epoch, int diagonal) {
        IntStream.range(0, BLOCKS).parallel().forEach(row -> {
            int block = row * BLOCKS + (row + diagonal) % BLOCKS;
            Cells cells = blocks.get(block);
            cells.shuffle(new SplittableRandom(Corpus.mixed(settings.seed + 31L * epoch) + block));
            for (int cell = 0; cell < cells.size(); cell++) {
                step(cells.rows[cell], cells.columns[cell], cells.weights[cell]);
            }
        });
    }

    private void step(int word, int context, float count) {
        int i = word * settings.size;
        int j = context * settings.size;
        float product = Vectors.dot(words.vectors, i, contexts.vectors, j, settings.size);
        float error = product + words.biases[word] + contexts.biases[context] - (float) StrictMath.log(count);
        double weight = count < settings.xMax ? StrictMath.pow(count / settings.xMax, POWER) : 1;
        float pull = (float) (weight * error);
        Side.step(words, i, contexts, j, pull, settings);
        words.stepBias(word, pull, settings.rate);
        contexts.stepBias(context, pull, settings.rate);
    }

    /** The vectors and biases of words or of contexts, and AdaGrad's sums of squared gradients. */
    private static final class Side {
        private final float[] vectors;
        private final float[] squares;
        private final float[] biases;
        private final float[] biasSquares;

        Side(int rows, int size, long seed) {
            vectors = new float[Math.multiplyExact(rows, size)];
            squares = new float[vectors.length];
            biases = new float[rows];
            biasSquares = new float[rows];
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < vectors.length; i++) {
                vectors[i] = (float) ((random.nextDouble() - 0.5) / size);
            }
            java.util.Arrays.fill(squares, 1);
            java.util.Arrays.fill(biasSquares, 1);
        }

        static void step(Side words, int i, Side contexts, int j, float pull, Settings settings) {
            for (int k = 0; k < settings.size; k++) {
                float ofWord = pull * contexts.vectors[j + k];
                float ofContext = pull * words.vectors[i + k];
                words.vectors[i + k] -= settings.rate * ofWord / (float) Math.sqrt(words.squares[i + k]);
                contexts.vectors[j + k] -= settings.rate * ofContext / (float) Math.sqrt(contexts.squares[j + k]);
                words.squares[i + k] += ofWord * ofWord;
                contexts.squares[j + k] += ofContext * ofContext;
            }
        }

        void stepBias(int row, float pull, float rate) {
            biases[row] -= rate * pull / (float) Math.sqrt(biasSquares[row]);
            biasSquares[row] += pull * pull;
        }
    }
}
