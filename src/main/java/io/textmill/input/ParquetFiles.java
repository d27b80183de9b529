package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of Parquet files, of which the wanted columns alone are read, each as its file stores it. A record's position is the
 * number of its row, from 0. Files are read in groups of one schema, for a column's type may differ from file to file.
 */
final class ParquetFiles {
    private static final String CASE = "spark.sql.caseSensitive";
    private static final String[] ROLES = {"id", "text", "label"};

    private final SparkSession spark;
    private final Map<String, String> names = new HashMap<>();
    private final boolean labelled;
    private final int maxBytes;

    ParquetFiles(SparkSession spark, JsonNode spec, List<String> files, Configuration conf) throws IOException {
        this.spark = spark;
        labelled = spec.path("label").isTextual();
        maxBytes = spec.path("max_record_bytes").asInt(1 << 20);
        List<String> shown = Slices.names(files);
        for (int i = 0; i < files.size(); i++) {
            Path path = new Path(files.get(i));
            names.put(inMetadata(path.getFileSystem(conf).makeQualified(path).toUri()), shown.get(i));
        }
    }

    /** What Spark calls it in _metadata.file_path: encoded, and without an empty authority. */
    private static String inMetadata(URI uri) {
        return new Path(uri.getScheme(), uri.getAuthority(), uri.getPath()).toUri().toString();
    }

    /** The records of the groups, each with its files as patterns, and for a role the column's name, Spark type and kind. */
    JavaRDD<Row> rows(JsonNode groups) {
        // Spark would take Label and label for one column, and stop.
        String before = spark.conf().get(CASE);
        spark.conf().set(CASE, "true");
        try {
            JavaRDD<Row> all = JavaSparkContext.fromSparkContext(spark.sparkContext()).emptyRDD();
            for (JsonNode group : groups) {
                all = all.union(ofGroup(group));
            }
            return all;
        } finally {
            spark.conf().set(CASE, before);
        }
    }

    private JavaRDD<Row> ofGroup(JsonNode group) {
        List<String> files = new ArrayList<>();
        group.path("files").forEach(file -> files.add(file.asText()));
        StructType schema = new StructType();
        List<Column> wanted = new ArrayList<>();
        wanted.add(functions.col("_metadata.file_path"));
        wanted.add(functions.col("_metadata.row_index"));
        String[] kinds = new String[ROLES.length];
        for (int i = 0; i < ROLES.length; i++) {
            JsonNode column = group.path("columns").path(ROLES[i]);
            String name = column.path("name").asText();
            kinds[i] = column.path("kind").asText(null);
            wanted.add(kinds[i] == null ? functions.lit(null) : functions.col("`" + name.replace("`", "``") + "`"));
            if (kinds[i] != null && !List.of(schema.fieldNames()).contains(name)) {
                schema = schema.add(name, column.path("type").asText());
            }
        }
        Map<String, String> shown = names;
        boolean wantsLabel = labelled;
        int most = maxBytes;
        return spark.read().schema(schema)
                .option("int96RebaseMode", "CORRECTED")
                .parquet(files.toArray(new String[0]))
                .select(wanted.toArray(new Column[0]))
                .toJavaRDD()
                .map(row -> record(row, shown, kinds, wantsLabel, most));
    }

    private static Row record(Row row, Map<String, String> names, String[] kinds, boolean labelled, int maxBytes) {
        String position = names.get(row.getString(0)) + ":" + row.getLong(1);
        String[] values = new String[ROLES.length];
        try {
            for (int i = 0; i < ROLES.length; i++) {
                values[i] = row.isNullAt(2 + i) ? null : string(row.get(2 + i), kinds[i]);
            }
        } catch (CharacterCodingException error) {
            return Record.bad(shown(row, kinds), "invalid_utf8", position);
        }
        String text = values[1];
        if (text != null && text.length() > maxBytes / 3 && text.getBytes(StandardCharsets.UTF_8).length > maxBytes) {
            return Record.bad(text, "record_too_long", position);
        }
        return Record.of(values[0], text, values[2], labelled, () -> text == null ? "" : text, position);
    }

    private static String shown(Row row, String[] kinds) {
        boolean isText = "text".equals(kinds[1]) && !row.isNullAt(3);
        return isText ? new String((byte[]) row.get(3), StandardCharsets.UTF_8) : "";
    }

    /** A value as the string that it is in all formats; null for what is no number. */
    private static String string(Object value, String kind) throws CharacterCodingException {
        String[] parts = kind.split(":");
        long perSecond = parts.length > 1 ? Long.parseLong(parts[1]) : 0;
        switch (parts[0]) {
            case "text":
                return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap((byte[]) value)).toString();
            case "uuid":
                return Values.uuid((byte[]) value);
            case "double":
                return Values.of((double) (Double) value);
            case "float":
                return Values.of((float) (Float) value);
            case "date":
                return Values.date((Integer) value);
            case "time":
                return Values.timeOfDay(((Number) value).longValue(), perSecond);
            case "int96":
                Instant instant = ((Timestamp) value).toInstant();
                return Values.moment(instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1000, 1_000_000);
            case "moment":
                return Values.moment((Long) value, perSecond);
            case "instant":
                return Values.moment((Long) value, perSecond) + "+00:00";
            default:
                return value instanceof BigDecimal ? ((BigDecimal) value).toPlainString() : value.toString();
        }
    }
}
