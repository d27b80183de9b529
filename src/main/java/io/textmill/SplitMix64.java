package io.textmill;

/** The mixing of the generator of that name (Steele, Lea and Flood, OOPSLA 2014). */
public final class SplitMix64 {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private SplitMix64() {}

    /** Its finalizer, a bijection: every bit of the result depends on all of z. */
    public static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    /** A uniform number of 64 bits of a seed: the first that the generator gives. */
    public static long uniform(long seed) {
        return mix(seed + GOLDEN);
    }
}
