package io.textmill.embed;

/** Arithmetic on rows of matrices that are stored row by row in one array. */
final class Vectors {
    private Vectors() {}

    /** Eight running sums: one would wait for itself at every step, and the compiler may not reorder them. */
    static float dot(float[] a, int i, float[] b, int j, int size) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        float s4 = 0;
        float s5 = 0;
        float s6 = 0;
        float s7 = 0;
        int k = 0;
        for (; k + 7 < size; k += 8) {
            s0 += a[i + k] * b[j + k];
            s1 += a[i + k + 1] * b[j + k + 1];
            s2 += a[i + k + 2] * b[j + k + 2];
            s3 += a[i + k + 3] * b[j + k + 3];
            s4 += a[i + k + 4] * b[j + k + 4];
            s5 += a[i + k + 5] * b[j + k + 5];
            s6 += a[i + k + 6] * b[j + k + 6];
            s7 += a[i + k + 7] * b[j + k + 7];
        }
        for (; k < size; k++) {
            s0 += a[i + k] * b[j + k];
        }
        return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7));
    }

    /** a[i…] += factor · b[j…]. */
    static void add(float[] a, int i, float factor, float[] b, int j, int size) {
        for (int k = 0; k < size; k++) {
            a[i + k] += factor * b[j + k];
        }
    }
}
