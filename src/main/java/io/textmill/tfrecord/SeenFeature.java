package io.textmill.tfrecord;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** What the records looked at hold under one name. */
final class SeenFeature implements Serializable {
    private static final long serialVersionUID = 1L;

    final String name;
    private Kind kind;
    private boolean isList;
    /** Whether it was other than exactly one value somewhere. */
    private boolean isArray;
    private boolean isText = true;
    /** Where it was seen first, for errors. */
    private String place;

    SeenFeature(String name) {
        this.name = name;
    }

    /** Takes the values of one record into account. Raises Malformed where their kind is another than before. */
    void add(FeatureValues values, byte[] bytes, boolean inLists, RecordInput input) {
        if (values.kind == null) {
            return;
        }
        if (kind == null) {
            kind = values.kind;
            isList = inLists;
            place = "record at byte " + input.offset() + " of " + input.file();
        } else if (kind != values.kind || isList != inLists) {
            throw conflict(values.kind, inLists, "this one");
        }
        isArray |= values.count != 1;
        for (int i = 0; kind == Kind.BYTES && isText && i < values.count; i++) {
            isText = isText(bytes, values.from[i], values.to[i]);
        }
    }

    /** What was seen here and there. Raises Malformed where the kinds differ. */
    SeenFeature merge(SeenFeature other) {
        if (!isTyped() || !other.isTyped()) {
            return isTyped() ? this : other;
        }
        if (kind != other.kind || isList != other.isList) {
            throw conflict(other.kind, other.isList, other.place);
        }
        isArray |= other.isArray;
        isText &= other.isText;
        return this;
    }

    /** Whether any record told what it holds. */
    boolean isTyped() {
        return kind != null;
    }

    DataType type() {
        DataType text = isText ? DataTypes.StringType : DataTypes.BinaryType;
        DataType number = kind == Kind.FLOAT ? DataTypes.FloatType : DataTypes.LongType;
        DataType type = kind == Kind.BYTES ? text : number;
        DataType array = isArray || isList ? DataTypes.createArrayType(type) : type;
        return isList ? DataTypes.createArrayType(array) : array;
    }

    private Malformed conflict(Kind otherKind, boolean otherList, String where) {
        return new Malformed("feature '" + name + "' is " + label(otherKind, otherList) + " in " + where + ", but "
                + label(kind, isList) + " in the " + place + ": give the schema, without it");
    }

    private static String label(Kind kind, boolean isList) {
        return isList ? "a list of " + kind.label : kind.label;
    }

    private static boolean isText(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] < 0) {
                return isUtf8(bytes, from, to);
            }
        }
        return true;
    }

    private static boolean isUtf8(byte[] bytes, int from, int to) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, to - from));
            return true;
        } catch (CharacterCodingException error) {
            return false;
        }
    }
}
