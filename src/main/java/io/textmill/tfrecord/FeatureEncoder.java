package io.textmill.tfrecord;

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;

/** Writes the values of one column as a tf.train.Feature, in the order ReverseBuffer asks for: the last first. */
abstract class FeatureEncoder {
    /** Every list message of a Feature has its values in field 1. */
    private static final int VALUES = 1;

    private final Kind kind;
    private final String column;

    private FeatureEncoder(Kind kind, String column) {
        this.kind = kind;
        this.column = column;
    }

    /** The encoder for a column whose innermost type is {@code type}. */
    static FeatureEncoder of(DataType type, String column) {
        switch (Kind.of(type)) {
            case INT64:
                return new Int64(integers(type), column);
            case FLOAT:
                return new Floats(type instanceof DoubleType, column);
            default:
                return new Bytes(type instanceof BinaryType, column);
        }
    }

    /** A Feature of one value. */
    final void scalar(SpecializedGetters from, int ordinal, ReverseBuffer out) {
        feature(from, ordinal, ordinal + 1, out);
    }

    /** A Feature of all values of an array. */
    final void array(ArrayData array, ReverseBuffer out) {
        int count = array.numElements();
        for (int i = 0; i < count; i++) {
            if (array.isNullAt(i)) {
                throw new Malformed("column '" + column + "': element " + i + " of the array is null, which a TFRecord"
                        + " can't hold: filter or replace it first");
            }
        }
        feature(array, 0, count, out);
    }

    private void feature(SpecializedGetters from, int first, int end, ReverseBuffer out) {
        int size = out.size();
        values(from, first, end, out);
        out.closeField(kind.field, size);
    }

    abstract void values(SpecializedGetters from, int first, int end, ReverseBuffer out);

    /** Reads a whole number of whatever width. */
    private interface Integers {
        long at(SpecializedGetters from, int i);
    }

    private static Integers integers(DataType type) {
        if (type instanceof IntegerType) {
            return SpecializedGetters::getInt;
        }
        if (type instanceof LongType) {
            return SpecializedGetters::getLong;
        }
        if (type instanceof ShortType) {
            return SpecializedGetters::getShort;
        }
        if (type instanceof ByteType) {
            return SpecializedGetters::getByte;
        }
        assert type instanceof BooleanType;
        return (from, i) -> from.getBoolean(i) ? 1 : 0;
    }

    private static final class Int64 extends FeatureEncoder {
        private final Integers integers;

        Int64(Integers integers, String column) {
            super(Kind.INT64, column);
            this.integers = integers;
        }

        @Override
        void values(SpecializedGetters from, int first, int end, ReverseBuffer out) {
            int size = out.size();
            for (int i = end - 1; i >= first; i--) {
                out.putVarint(integers.at(from, i));
            }
            closeUnlessEmpty(end - first, size, out);
        }
    }

    private static final class Floats extends FeatureEncoder {
        private final boolean isDouble;

        Floats(boolean isDouble, String column) {
            super(Kind.FLOAT, column);
            this.isDouble = isDouble;
        }

        @Override
        void values(SpecializedGetters from, int first, int end, ReverseBuffer out) {
            int size = out.size();
            for (int i = end - 1; i >= first; i--) {
                float value = isDouble ? (float) from.getDouble(i) : from.getFloat(i);
                out.putInt(Float.floatToRawIntBits(value));
            }
            closeUnlessEmpty(end - first, size, out);
        }
    }

    private static final class Bytes extends FeatureEncoder {
        private final boolean isBinary;

        Bytes(boolean isBinary, String column) {
            super(Kind.BYTES, column);
            this.isBinary = isBinary;
        }

        @Override
        void values(SpecializedGetters from, int first, int end, ReverseBuffer out) {
            for (int i = end - 1; i >= first; i--) {
                int size = out.size();
                if (isBinary) {
                    out.put(from.getBinary(i));
                } else {
                    out.put(from.getUTF8String(i));
                }
                out.closeField(VALUES, size);
            }
        }
    }

    /** Numbers are packed into one field, which is left out when there are none. */
    private static void closeUnlessEmpty(int count, int size, ReverseBuffer out) {
        if (count > 0) {
            out.closeField(VALUES, size);
        }
    }
}
