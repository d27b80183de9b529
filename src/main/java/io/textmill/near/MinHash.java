package io.textmill.near;

import io.textmill.SplitMix64;
import java.io.Serializable;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Locality-sensitive hashing of sets (Broder 1997; banding as in Leskovec, Rajaraman and Ullman, Mining of Massive
 * Datasets, chapter 3): a signature of bands × rows minima, of which each band becomes one 64-bit hash. Two sets of
 * Jaccard similarity s agree in at least one band with probability 1 − (1 − s^rows)^bands.
 */
public final class MinHash implements Serializable {
    private final int bands;
    private final int rows;
    private final int[] xors;
    private final int[] factors;

    /** Hash functions drawn by {@code seed}. */
    public MinHash(int bands, int rows, long seed) {
        this.bands = bands;
        this.rows = rows;
        SplittableRandom random = new SplittableRandom(seed);
        xors = random.ints(bands * rows).toArray();
        factors = random.ints(bands * rows).map(value -> value | 1).toArray();
    }

    int bands() {
        return bands;
    }

    /** One hash for each band of a set that is not empty. */
    public long[] bands(long[] shingles) {
        int[] minima = new int[bands * rows];
        Arrays.fill(minima, Integer.MAX_VALUE);
        for (long shingle : shingles) {
            fold((int) (shingle >>> 32), minima);
        }
        long[] hashes = new long[bands];
        for (int band = 0; band < bands; band++) {
            long hash = band;
            for (int row = band * rows; row < (band + 1) * rows; row++) {
                hash = SplitMix64.uniform(hash ^ minima[row]);
            }
            hashes[band] = hash;
        }
        return hashes;
    }

    /** 32-bit arithmetic without branches: the JIT turns this loop into vector instructions. */
    private void fold(int shingle, int[] minima) {
        for (int i = 0; i < minima.length; i++) {
            minima[i] = Math.min(minima[i], (shingle ^ xors[i]) * factors[i]);
        }
    }
}
