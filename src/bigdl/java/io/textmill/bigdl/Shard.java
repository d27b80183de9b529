package io.textmill.bigdl;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/**
 * One Parquet file of tensors, column by column into arrays.
 *
 * <p>By Parquet's own column readers: Spark's first query in a cold JVM takes longer than reading a million rows does.
 */
final class Shard {
    private final String file;
    private final int length;
    private final int[] ids;
    private final int[] label;
    private final int first;
    private final int rows;
    private int kept;
    private int read;

    /**
     * @param ids gets the ids of the rows, from row `first` on, without gaps for those of weight 0
     * @param rows that the file has by the manifest
     */
    Shard(String file, int length, int[] ids, int[] label, int first, int rows) {
        this.file = file;
        this.length = length;
        this.ids = ids;
        this.label = label;
        this.first = first;
        this.rows = rows;
    }

    /** @return how many rows were kept */
    int read(Configuration conf) throws IOException {
        try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(new Path(file), conf))) {
            MessageType all = reader.getFileMetaData().getSchema();
            MessageType wanted = new MessageType("tensors", all.getType("ids"), all.getType("label"), all.getType("weight"));
            reader.setRequestedSchema(wanted);
            String writer = reader.getFileMetaData().getCreatedBy();
            for (PageReadStore group = reader.readNextRowGroup(); group != null; group = reader.readNextRowGroup()) {
                take(new ColumnReadStoreImpl(group, new Ignoring(wanted.getFields()), wanted, writer), wanted, (int) group.getRowCount());
            }
        }
        if (read != rows) {
            throw unfit("has " + read + " rows and should have " + rows);
        }
        return kept;
    }

    /** Rows of a group. All are put one after the other; one of weight 0 is overwritten by the next. */
    private void take(ColumnReadStoreImpl store, MessageType schema, int count) {
        if (read + count > rows) {
            throw unfit("has more than the " + rows + " rows it should have");
        }
        ColumnReader id = store.getColumnReader(schema.getColumns().get(0));
        ColumnReader labels = store.getColumnReader(schema.getColumns().get(1));
        ColumnReader weights = store.getColumnReader(schema.getColumns().get(2));
        for (int i = 0; i < count; i++, read++) {
            int at = first + kept;
            list(id, at * length);
            label[at] = labels.getInteger();
            labels.consume();
            if (weights.getFloat() > 0) {
                kept++;
            }
            weights.consume();
        }
    }

    /** One row's ids: a repetition level of 0 begins a row. */
    private void list(ColumnReader id, int to) {
        int whole = id.getDescriptor().getMaxDefinitionLevel();
        for (int i = 0; i < length; i++, id.consume()) {
            if ((id.getCurrentRepetitionLevel() == 0) != (i == 0) || id.getCurrentDefinitionLevel() != whole) {
                throw unfit("has other than " + length + " ids in row " + read);
            }
            ids[to + i] = id.getInteger();
        }
        if (id.getCurrentRepetitionLevel() != 0) {
            throw unfit("has more than " + length + " ids in row " + read);
        }
    }

    private IllegalStateException unfit(String what) {
        return new IllegalStateException(file + " " + what);
    }

    /** What column readers want for whole records, which nobody makes here. */
    private static final class Ignoring extends GroupConverter {
        private final List<Converter> fields = new ArrayList<>();

        Ignoring(List<Type> types) {
            for (Type type : types) {
                fields.add(type.isPrimitive() ? new PrimitiveConverter() {} : new Ignoring(type.asGroupType().getFields()));
            }
        }

        @Override
        public Converter getConverter(int field) {
            return fields.get(field);
        }

        @Override
        public void start() {}

        @Override
        public void end() {}
    }
}
