package io.textmill.tfrecord;

import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StringType;

/** What a tf.train.Feature can hold; the numbers are those of its oneof. */
enum Kind {
    BYTES(1, "strings (bytes_list)"),
    FLOAT(2, "floats (float_list)"),
    INT64(3, "integers (int64_list)");

    final int field;
    /** What errors call the values. */
    final String label;

    Kind(int field, String label) {
        this.field = field;
        this.label = label;
    }

    /** The kind a feature's field number stands for; null for an unknown one. */
    static Kind ofField(int field) {
        return field >= 1 && field <= 3 ? values()[field - 1] : null;
    }

    /** The kind that holds values of a type; null where none does. */
    static Kind of(DataType type) {
        if (type instanceof StringType || type instanceof BinaryType) {
            return BYTES;
        }
        if (type instanceof FloatType || type instanceof DoubleType) {
            return FLOAT;
        }
        boolean isWhole = type instanceof IntegerType || type instanceof LongType || type instanceof BooleanType
                || type instanceof ShortType || type instanceof ByteType;
        return isWhole ? INT64 : null;
    }

    /** 0 for a scalar, 1 for an array, 2 for an array of arrays … */
    static int depth(DataType type) {
        return type instanceof ArrayType ? 1 + depth(((ArrayType) type).elementType()) : 0;
    }

    /** The innermost type. */
    static DataType element(DataType type) {
        return type instanceof ArrayType ? element(((ArrayType) type).elementType()) : type;
    }
}
