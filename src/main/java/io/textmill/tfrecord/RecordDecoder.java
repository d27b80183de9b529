package io.textmill.tfrecord;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.SpecificInternalRow;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Makes a row of a record's payload. The row is valid until the next record is read. */
interface RecordDecoder {
    /** Raises Malformed for a payload that is none or does not fit the schema. */
    InternalRow decode(byte[] bytes, int from, int to);

    /** A decoder of the given columns; features that are none of them are passed over. */
    static RecordDecoder of(RecordType type, StructType schema) {
        SpecificInternalRow row = new SpecificInternalRow(schema);
        if (schema.isEmpty()) {
            return (bytes, from, to) -> row;
        }
        return type == RecordType.BYTE_ARRAY ? bytesInto(row) : new Message(type, schema, row);
    }

    private static RecordDecoder bytesInto(SpecificInternalRow row) {
        return (bytes, from, to) -> {
            row.update(0, Arrays.copyOfRange(bytes, from, to));
            return row;
        };
    }

    /** Example and SequenceExample. */
    final class Message extends FeatureMaps implements RecordDecoder {
        private final SpecificInternalRow row;
        private final Column[] columns;
        private final Wire wire = new Wire();
        private final FeatureValues values = new FeatureValues();
        /** The column found last: records have their features in the same order, mostly. */
        private int last = -1;

        Message(RecordType type, StructType schema, SpecificInternalRow row) {
            super(type);
            this.row = row;
            columns = new Column[schema.length()];
            for (int i = 0; i < columns.length; i++) {
                columns[i] = new Column(schema.fields()[i], i);
            }
            Arrays.sort(columns, Comparator.comparing(column -> column.key, FeatureMaps::compare));
        }

        @Override
        public InternalRow decode(byte[] bytes, int from, int to) {
            for (int i = 0; i < columns.length; i++) {
                row.setNullAt(i);
            }
            wire.over(bytes, from, to);
            message(wire);
            return row;
        }

        @Override
        void feature(int keyFrom, int keyTo) {
            Column column = find(keyFrom, keyTo);
            if (column != null) {
                column.demand(false);
                values.read(wire);
                column.set(values, wire.bytes, row);
            }
        }

        @Override
        void featureList(int keyFrom, int keyTo) {
            Column column = find(keyFrom, keyTo);
            if (column != null) {
                column.demand(true);
                column.setList(values, wire, row);
            }
        }

        private Column find(int from, int to) {
            int next = last + 1 < columns.length ? last + 1 : 0;
            if (columns[next].compare(wire.bytes, from, to) != 0) {
                next = search(from, to);
            }
            last = next < 0 ? last : next;
            return next < 0 ? null : columns[next];
        }

        private int search(int from, int to) {
            int low = 0;
            int high = columns.length - 1;
            while (low <= high) {
                int middle = (low + high) >>> 1;
                int order = columns[middle].compare(wire.bytes, from, to);
                if (order == 0) {
                    return middle;
                }
                low = order < 0 ? middle + 1 : low;
                high = order > 0 ? middle - 1 : high;
            }
            return -1;
        }
    }

    /** One column of the rows. */
    final class Column {
        private final byte[] key;
        private final int ordinal;
        private final StructField field;
        private final int depth;
        private final Kind kind;
        private final ValueDecoder decoder;

        Column(StructField field, int ordinal) {
            this.field = field;
            this.ordinal = ordinal;
            key = field.name().getBytes(StandardCharsets.UTF_8);
            depth = Kind.depth(field.dataType());
            DataType element = Kind.element(field.dataType());
            kind = Kind.of(element);
            decoder = ValueDecoder.of(element);
        }

        int compare(byte[] bytes, int from, int to) {
            return FeatureMaps.compare(key, bytes, from, to);
        }

        /** Raises Malformed where the column stands in the wrong half of a SequenceExample. */
        void demand(boolean inFeatureLists) {
            if (inFeatureLists != depth > 1) {
                throw problem(inFeatureLists
                        ? "the record has it in feature_lists, which is an array of arrays"
                        : "the record has it as a feature, not in feature_lists");
            }
        }

        void set(FeatureValues values, byte[] bytes, SpecificInternalRow row) {
            if (values.kind == null || depth == 0 && values.count == 0) {
                row.setNullAt(ordinal);
                return;
            }
            check(values);
            try {
                if (depth == 0) {
                    decoder.scalar(values, bytes, row, ordinal);
                } else {
                    row.update(ordinal, decoder.array(values, bytes));
                }
            } catch (Malformed error) {
                throw problem(error.getMessage());
            }
        }

        void setList(FeatureValues values, Wire wire, SpecificInternalRow row) {
            List<Object> arrays = new ArrayList<>();
            while (wire.hasMore()) {
                int tag = wire.tag();
                if (tag == FeatureMaps.FIRST) {
                    int outer = wire.enter();
                    values.read(wire);
                    wire.leave(outer);
                    arrays.add(inner(values, wire.bytes));
                } else {
                    wire.skip(tag);
                }
            }
            row.update(ordinal, new GenericArrayData(arrays.toArray()));
        }

        private Object inner(FeatureValues values, byte[] bytes) {
            if (values.kind == null) {
                return null;
            }
            check(values);
            try {
                return decoder.array(values, bytes).copy();
            } catch (Malformed error) {
                throw problem(error.getMessage());
            }
        }

        private void check(FeatureValues values) {
            if (values.kind != kind) {
                throw problem("the record holds " + values.kind.label);
            }
            if (depth == 0 && values.count > 1) {
                throw problem("the record holds " + values.count + " values: make it an array in the schema");
            }
        }

        private Malformed problem(String what) {
            String type = field.dataType().simpleString();
            return new Malformed("column '" + field.name() + "' is " + type + ", but " + what);
        }
    }
}
