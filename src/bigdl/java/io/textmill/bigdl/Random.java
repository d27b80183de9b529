package io.textmill.bigdl;

import io.textmill.SplitMix64;

/** Noise that depends on a row's seed and the layer's number alone, so that a resumed training draws it again. */
final class Random {
    private static final double SCALE = 1.0 / (1L << 53);

    private Random() {}

    /** @return true for all but `rate` of the places of a row */
    static boolean keeps(float seed, int layer, int place, double rate) {
        long mixed = SplitMix64.uniform(SplitMix64.uniform(((long) seed << 8) + layer) + place);
        return (mixed >>> 11) * SCALE >= rate;
    }

    /** A seed of a row in a step of a training; 24 bits, which a float holds exactly. */
    static float seed(long training, long step, int partition, int row) {
        return SplitMix64.uniform(SplitMix64.uniform(SplitMix64.uniform(training) + step) + ((long) partition << 32) + row) >>> 40;
    }

    /** A seed of an epoch's order. */
    static long seed64(long training, int epoch, int partition) {
        return SplitMix64.uniform(SplitMix64.uniform(training) + ((long) partition << 32) + epoch);
    }
}
