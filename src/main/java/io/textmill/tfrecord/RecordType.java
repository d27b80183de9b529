package io.textmill.tfrecord;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** What the payload of a record is. */
enum RecordType {
    EXAMPLE("Example"),
    SEQUENCE_EXAMPLE("SequenceExample"),
    BYTE_ARRAY("ByteArray");

    /** The schema of records that are read as bytes. */
    static final StructType BYTES = new StructType().add("byteArray", DataTypes.BinaryType);

    final String label;

    RecordType(String label) {
        this.label = label;
    }

    /** The type of that name, upper or lower case. Raises IllegalArgumentException for an unknown one. */
    static RecordType named(String name) {
        for (RecordType type : values()) {
            if (type.label.equalsIgnoreCase(name)) {
                return type;
            }
        }
        String known = Arrays.stream(values()).map(type -> type.label).collect(Collectors.joining(", "));
        throw new IllegalArgumentException("tfrecord: recordType " + name + " is none of " + known);
    }

    /** Raises IllegalArgumentException where records of this type can't hold rows of a schema. */
    void check(StructType schema) {
        StructField[] fields = schema.fields();
        if (this == BYTE_ARRAY && !(fields.length == 1 && fields[0].dataType() instanceof BinaryType)) {
            throw new IllegalArgumentException(
                    "tfrecord: recordType ByteArray takes exactly one column, of type binary; this is "
                            + schema.simpleString());
        }
        for (StructField field : fields) {
            if (this == EXAMPLE && Kind.depth(field.dataType()) > 1) {
                throw new IllegalArgumentException("tfrecord: column '" + field.name() + "' is "
                        + field.dataType().simpleString() + ", which an Example can't hold: set option recordType to"
                        + " SequenceExample");
            }
        }
    }
}
