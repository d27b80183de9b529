package io.textmill.tfrecord;

import java.util.Arrays;

/** The values of one tf.train.Feature. The arrays are used again for the next. */
final class FeatureValues {
    /** Every list message of a Feature has its values in field 1. */
    private static final int VALUE = 1 << 3;

    /** Null where the feature holds no list. */
    Kind kind;
    int count;
    long[] integers = new long[64];
    float[] floats = new float[64];
    /** Where in the buffer strings begin and end. */
    int[] from = new int[16];
    int[] to = new int[16];

    /** Reads the Feature to which {@code wire} is confined. Of several lists the last kind counts, as in TensorFlow. */
    void read(Wire wire) {
        kind = null;
        count = 0;
        while (wire.hasMore()) {
            int tag = wire.tag();
            Kind next = (tag & 7) == Wire.DELIMITED ? Kind.ofField(tag >>> 3) : null;
            if (next == null) {
                wire.skip(tag);
            } else {
                count = next == kind ? count : 0;
                kind = next;
                int outer = wire.enter();
                list(wire);
                wire.leave(outer);
            }
        }
    }

    private void list(Wire wire) {
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (kind == Kind.INT64 && tag == (VALUE | Wire.DELIMITED)) {
                packedIntegers(wire);
            } else if (kind == Kind.INT64 && tag == (VALUE | Wire.VARINT)) {
                add(wire.varint());
            } else if (kind == Kind.FLOAT && tag == (VALUE | Wire.DELIMITED)) {
                packedFloats(wire);
            } else if (kind == Kind.FLOAT && tag == (VALUE | Wire.FIXED32)) {
                add(Float.intBitsToFloat(wire.fixed32()));
            } else if (kind == Kind.BYTES && tag == (VALUE | Wire.DELIMITED)) {
                int end = wire.delimited();
                add(wire.position, end);
                wire.position = end;
            } else {
                wire.skip(tag);
            }
        }
    }

    private void packedIntegers(Wire wire) {
        int outer = wire.enter();
        while (wire.hasMore()) {
            add(wire.varint());
        }
        wire.leave(outer);
    }

    private void packedFloats(Wire wire) {
        int outer = wire.enter();
        while (wire.hasMore()) {
            add(Float.intBitsToFloat(wire.fixed32()));
        }
        wire.leave(outer);
    }

    private void add(long value) {
        if (count == integers.length) {
            integers = Arrays.copyOf(integers, 2 * count);
        }
        integers[count++] = value;
    }

    private void add(float value) {
        if (count == floats.length) {
            floats = Arrays.copyOf(floats, 2 * count);
        }
        floats[count++] = value;
    }

    private void add(int begin, int end) {
        if (count == from.length) {
            from = Arrays.copyOf(from, 2 * count);
            to = Arrays.copyOf(to, 2 * count);
        }
        from[count] = begin;
        to[count++] = end;
    }
}
