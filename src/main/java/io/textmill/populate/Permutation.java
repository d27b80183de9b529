package io.textmill.populate;

import io.textmill.SplitMix64;

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
                long mixed = SplitMix64.mix(right + seed * 0x9E3779B97F4A7C15L + round * 0xD1B54A32D192ED03L);
                long next = left ^ (mixed & mask);
                left = right;
                right = next;
            }
            value = left << half | right;
        } while (value >= size);
        return value;
    }
}
