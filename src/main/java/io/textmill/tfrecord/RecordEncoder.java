package io.textmill.tfrecord;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Makes the payload of a record from a row. */
interface RecordEncoder {
    /** Writes the payload in front of what the buffer holds. Raises Malformed for a row that no record can hold. */
    void encode(InternalRow row, ReverseBuffer out);

    static RecordEncoder of(RecordType type, StructType schema) {
        type.check(schema);
        return type == RecordType.BYTE_ARRAY ? RecordEncoder::bytes : new Message(type, schema);
    }

    private static void bytes(InternalRow row, ReverseBuffer out) {
        if (row.isNullAt(0)) {
            throw new Malformed("the bytes of a row are null: filter such rows first");
        }
        out.put(row.getBinary(0));
    }

    /**
     * Example and SequenceExample. A map's entries are sorted by key, as deterministic serialization does it: equal
     * rows give equal bytes.
     */
    final class Message implements RecordEncoder {
        private final Column[] features;
        private final Column[] lists;
        private final boolean hasFeatures;

        Message(RecordType type, StructType schema) {
            List<Column> columns = new ArrayList<>();
            for (int i = 0; i < schema.length(); i++) {
                columns.add(new Column(schema.fields()[i], i));
            }
            // The last is written first.
            columns.sort(Comparator.comparing((Column column) -> column.key, FeatureMaps::compare).reversed());
            lists = columns.stream().filter(column -> column.depth == 2).toArray(Column[]::new);
            features = columns.stream().filter(column -> column.depth < 2).toArray(Column[]::new);
            hasFeatures = type == RecordType.EXAMPLE || features.length > 0;
        }

        @Override
        public void encode(InternalRow row, ReverseBuffer out) {
            if (lists.length > 0) {
                map(lists, 2, row, out);
            }
            if (hasFeatures) {
                map(features, 1, row, out);
            }
        }

        private static void map(Column[] columns, int field, InternalRow row, ReverseBuffer out) {
            int size = out.size();
            for (Column column : columns) {
                column.entry(row, out);
            }
            out.closeField(field, size);
        }
    }

    /** One column's entry in the map of features or of feature lists. */
    final class Column {
        private final byte[] key;
        private final int ordinal;
        private final int depth;
        private final FeatureEncoder encoder;

        Column(StructField field, int ordinal) {
            key = field.name().getBytes(StandardCharsets.UTF_8);
            this.ordinal = ordinal;
            depth = Kind.depth(field.dataType());
            encoder = FeatureEncoder.of(Kind.element(field.dataType()), field.name());
        }

        /** A null column has no entry. */
        void entry(InternalRow row, ReverseBuffer out) {
            if (row.isNullAt(ordinal)) {
                return;
            }
            int size = out.size();
            value(row, out);
            out.closeField(2, size);
            int valued = out.size();
            out.put(key);
            out.closeField(1, valued);
            out.closeField(1, size);
        }

        private void value(InternalRow row, ReverseBuffer out) {
            if (depth == 0) {
                encoder.scalar(row, ordinal, out);
            } else if (depth == 1) {
                encoder.array(row.getArray(ordinal), out);
            } else {
                list(row.getArray(ordinal), out);
            }
        }

        /** A FeatureList; a null array among the arrays is a Feature that holds nothing. */
        private void list(ArrayData arrays, ReverseBuffer out) {
            for (int i = arrays.numElements() - 1; i >= 0; i--) {
                int size = out.size();
                if (!arrays.isNullAt(i)) {
                    encoder.array(arrays.getArray(i), out);
                }
                out.closeField(1, size);
            }
        }
    }
}
