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
        Kind kind = Kind.of(type);
        return kind == Kind.BYTES
                ? new Bytes(type instanceof BinaryType, column)
                : new Numbers(kind, put(type), column);
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

    /** Writes one number of a column's type as its list message has it. */
    private interface Put {
        void put(SpecializedGetters from, int i, ReverseBuffer out);
    }

    private static Put put(DataType type) {
        if (type instanceof IntegerType) {
            return (from, i, out) -> out.putVarint(from.getInt(i));
        }
        if (type instanceof LongType) {
            return (from, i, out) -> out.putVarint(from.getLong(i));
        }
        if (type instanceof ShortType) {
            return (from, i, out) -> out.putVarint(from.getShort(i));
        }
        if (type instanceof ByteType) {
            return (from, i, out) -> out.putVarint(from.getByte(i));
        }
        if (type instanceof BooleanType) {
            return (from, i, out) -> out.putVarint(from.getBoolean(i) ? 1 : 0);
        }
        if (type instanceof DoubleType) {
            return (from, i, out) -> out.putInt(Float.floatToRawIntBits((float) from.getDouble(i)));
        }
        return (from, i, out) -> out.putInt(Float.floatToRawIntBits(from.getFloat(i)));
    }

    /** Numbers are packed into one field, which is left out when there are none. */
    private static final class Numbers extends FeatureEncoder {
        private final Put number;

        Numbers(Kind kind, Put number, String column) {
            super(kind, column);
            this.number = number;
        }

        @Override
        void values(SpecializedGetters from, int first, int end, ReverseBuffer out) {
            int size = out.size();
            for (int i = end - 1; i >= first; i--) {
                number.put(from, i, out);
            }
            if (end > first) {
                out.closeField(VALUES, size);
            }
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
}
