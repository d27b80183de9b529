package io.textmill.input;

import io.textmill.text.Labels;
import java.util.function.Supplier;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One record of an input: good, or set aside with a reason and the beginning of what stood there. */
final class Record {
    static final StructType SCHEMA = new StructType()
            .add("id", DataTypes.StringType)
            .add("text", DataTypes.StringType)
            .add("label", DataTypes.StringType)
            .add("reason", DataTypes.StringType)
            .add("position", DataTypes.StringType);
    private static final int SHOWN = 500;

    private Record() {}

    /** A record's row, set aside where it lacks its text or, where one is {@code wanted}, its label. */
    static Row of(String id, String text, String label, boolean wanted, Supplier<String> raw, String position) {
        if (text == null) {
            return bad(raw.get(), "missing_text", position);
        }
        if (wanted && (label == null || Labels.clean(label).isEmpty())) {
            return bad(raw.get(), "missing_label", position);
        }
        return RowFactory.create(id == null ? position : id, text, label, null, position);
    }

    static Row bad(String raw, String reason, String position) {
        int end = Math.min(raw.length(), SHOWN);
        if (end > 0 && Character.isHighSurrogate(raw.charAt(end - 1))) {
            end--;
        }
        return RowFactory.create(position, raw.substring(0, end), null, reason, position);
    }
}
