package io.textmill.tfrecord;

import java.util.Arrays;
import org.apache.spark.sql.catalyst.expressions.SpecificInternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/** Puts a feature's values into a row. What it puts is valid until the next record is read. */
abstract class ValueDecoder {
    private byte[] buffer = new byte[512];
    private final UnsafeArrayData array = new UnsafeArrayData();

    private ValueDecoder() {}

    /** The decoder of values of a type. */
    static ValueDecoder of(DataType type) {
        switch (Kind.of(type)) {
            case INT64:
                return new Integers(type);
            case FLOAT:
                return new Floats(type instanceof DoubleType);
            default:
                return new Bytes(type instanceof BinaryType);
        }
    }

    /** Sets a field to the only value. Raises Malformed where it does not fit the type. */
    abstract void scalar(FeatureValues values, byte[] bytes, SpecificInternalRow row, int ordinal);

    /** All values as an array. Raises Malformed where one does not fit the type. */
    abstract ArrayData array(FeatureValues values, byte[] bytes);

    /** Spark's layout of an array: the count, a bit for each null, the elements, to a multiple of 8 bytes. */
    final long layOut(int count, int width) {
        int head = UnsafeArrayData.calculateHeaderPortionInBytes(count);
        long size = (head + (long) count * width + 7) / 8 * 8;
        if (size > Integer.MAX_VALUE - 16) {
            throw new Malformed("it has " + count + " values, more than an array of Spark holds");
        }
        if (size > buffer.length) {
            buffer = new byte[(int) Math.min(2 * size, Integer.MAX_VALUE - 16)];
        }
        // The last bytes too: they may be padding, and equal arrays must have equal bytes.
        Platform.putLong(buffer, Platform.BYTE_ARRAY_OFFSET + size - 8, 0);
        Arrays.fill(buffer, 0, head, (byte) 0);
        Platform.putLong(buffer, Platform.BYTE_ARRAY_OFFSET, count);
        array.pointTo(buffer, Platform.BYTE_ARRAY_OFFSET, (int) size);
        return Platform.BYTE_ARRAY_OFFSET + (long) head;
    }

    final byte[] laidOut() {
        return buffer;
    }

    final ArrayData laid() {
        return array;
    }

    private static final class Integers extends ValueDecoder {
        private final DataType type;
        private final int width;
        private final long least;
        private final long most;

        Integers(DataType type) {
            this.type = type;
            width = type.defaultSize();
            boolean isBoolean = type instanceof BooleanType;
            least = isBoolean ? 0 : -1L << 8 * width - 1;
            most = isBoolean ? 1 : ~least;
        }

        private long fitting(long value) {
            if (value < least || value > most) {
                throw new Malformed("its value " + value + " does not fit " + type.simpleString());
            }
            return value;
        }

        @Override
        void scalar(FeatureValues values, byte[] bytes, SpecificInternalRow row, int ordinal) {
            long value = fitting(values.integers[0]);
            if (type instanceof LongType) {
                row.setLong(ordinal, value);
            } else if (type instanceof IntegerType) {
                row.setInt(ordinal, (int) value);
            } else if (type instanceof BooleanType) {
                row.setBoolean(ordinal, value == 1);
            } else if (type instanceof ByteType) {
                row.setByte(ordinal, (byte) value);
            } else {
                row.setShort(ordinal, (short) value);
            }
        }

        @Override
        ArrayData array(FeatureValues values, byte[] bytes) {
            long at = layOut(values.count, width);
            for (int i = 0; i < values.count; i++, at += width) {
                put(at, fitting(values.integers[i]));
            }
            return laid();
        }

        private void put(long at, long value) {
            if (width == 8) {
                Platform.putLong(laidOut(), at, value);
            } else if (width == 4) {
                Platform.putInt(laidOut(), at, (int) value);
            } else if (width == 2) {
                Platform.putShort(laidOut(), at, (short) value);
            } else {
                Platform.putByte(laidOut(), at, (byte) value);
            }
        }
    }

    private static final class Floats extends ValueDecoder {
        private final boolean isDouble;

        Floats(boolean isDouble) {
            this.isDouble = isDouble;
        }

        @Override
        void scalar(FeatureValues values, byte[] bytes, SpecificInternalRow row, int ordinal) {
            if (isDouble) {
                row.setDouble(ordinal, values.floats[0]);
            } else {
                row.setFloat(ordinal, values.floats[0]);
            }
        }

        @Override
        ArrayData array(FeatureValues values, byte[] bytes) {
            int width = isDouble ? 8 : 4;
            long at = layOut(values.count, width);
            for (int i = 0; i < values.count; i++, at += width) {
                if (isDouble) {
                    Platform.putDouble(laidOut(), at, values.floats[i]);
                } else {
                    Platform.putFloat(laidOut(), at, values.floats[i]);
                }
            }
            return laid();
        }
    }

    private static final class Bytes extends ValueDecoder {
        private final boolean isBinary;

        Bytes(boolean isBinary) {
            this.isBinary = isBinary;
        }

        private Object at(FeatureValues values, byte[] bytes, int i) {
            int from = values.from[i];
            int to = values.to[i];
            return isBinary ? Arrays.copyOfRange(bytes, from, to) : UTF8String.fromBytes(bytes, from, to - from);
        }

        @Override
        void scalar(FeatureValues values, byte[] bytes, SpecificInternalRow row, int ordinal) {
            row.update(ordinal, at(values, bytes, 0));
        }

        @Override
        ArrayData array(FeatureValues values, byte[] bytes) {
            Object[] all = new Object[values.count];
            for (int i = 0; i < all.length; i++) {
                all[i] = at(values, bytes, i);
            }
            return new GenericArrayData(all);
        }
    }
}
