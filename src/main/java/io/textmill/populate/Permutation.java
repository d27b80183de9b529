package io.textmill.populate;

/**
 * A seeded bijection of [0, size): a balanced Feistel network over the next even power of two, walked along its cycle
 * until it falls inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002).
 */
final class Permutation {
    private static final int ROUNDS = 6;

    private final long size;
    private final int half;
    private final long mask;
    private final long seed;

    Permutation(long size, long seed) {
        this.size = size;
        this.seed = seed;
        int bits = 64 - Long.numberOfLeadingZeros(Math.max(1, size - 1));
        half = Math.max(1, (bits + 1) / 2);
        mask = (1L << half) - 1;
    }

    long at(long index) {
        if (size <= 1) {
            return 0;
        }
        long value = index;
        do {
            long left = value >>> half;
            long right = value & mask;
            for (int round = 0; round < ROUNDS; round++) {
                long next = left ^ (mix(right + seed * 0x9E3779B97F4A7C15L + round * 0xD1B54A32D192ED03L) & mask);
                left = right;
                right = next;
            }
            value = left << half | right;
        } while (value >= size);
        return value;
    }

    /** The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
    static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    /** A uniform number of 64 bits of a seed. */
    static long uniform(long seed) {
        return mix(seed + 0x9E3779B97F4A7C15L);
    }
}
