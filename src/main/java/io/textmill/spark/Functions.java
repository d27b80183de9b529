package io.textmill.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.textmill.augment.Augmenter;
import io.textmill.near.Shingles;
import io.textmill.populate.Populator;
import io.textmill.populate.Utterance;
import io.textmill.text.Cleaner;
import io.textmill.text.Encoder;
import io.textmill.text.Labels;
import io.textmill.text.TextTokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IOUtils;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** textmill's functions on columns, registered from Python under a name of the caller's. */
public final class Functions {
    private static final StructType CLEANED =
            new StructType().add("text", DataTypes.StringType).add("reason", DataTypes.StringType);
    private static final ArrayType TOKENS = DataTypes.createArrayType(DataTypes.StringType, false);
    private static final StructType ENCODED = new StructType()
            .add("ids", DataTypes.createArrayType(DataTypes.IntegerType, false))
            .add("length", DataTypes.IntegerType)
            .add("unknown", DataTypes.IntegerType);
    private static final StructType SPAN = new StructType()
            .add("start", DataTypes.IntegerType)
            .add("end", DataTypes.IntegerType)
            .add("entity", DataTypes.StringType);
    private static final StructType MADE = new StructType()
            .add("text", DataTypes.StringType)
            .add("label", DataTypes.StringType)
            .add("template", DataTypes.IntegerType)
            .add("spans", DataTypes.createArrayType(SPAN));

    private static final StructType COPIED = new StructType()
            .add("text", DataTypes.StringType)
            .add("spans", DataTypes.createArrayType(SPAN))
            .add("operation", DataTypes.StringType);

    private Functions() {}

    /**
     * Registers the function {@code kind} (clean, label, tokenize, encode, populate, augment, jaccard) bound to parameters
     * in JSON. Raises IllegalArgumentException at once for parameters that don't fit.
     */
    public static void register(SparkSession spark, String name, String kind, String params) {
        spark.udf().register(name, make(spark, kind, params).asNondeterministic());
    }

    /**
     * The functions are registered as not deterministic although they are: Spark's optimizer copies a deterministic one
     * to each place where a field of its result is used, and then it runs as many times for every row.
     */
    private static UserDefinedFunction make(SparkSession spark, String kind, String params) {
        switch (kind) {
            case "clean":
                return functions.udf(clean(spark, params), CLEANED);
            case "label":
                return functions.udf((UDF1<String, String>) text -> text == null ? null : Labels.clean(text),
                        DataTypes.StringType);
            case "tokenize":
                return functions.udf(tokenize(spark, params), TOKENS);
            case "encode":
                return functions.udf(encode(spark, json(params)), ENCODED);
            case "populate":
                return functions.udf(populate(spark, params), MADE);
            case "augment":
                return functions.udf(augment(spark, params), DataTypes.createArrayType(COPIED));
            case "jaccard":
                return functions.udf(jaccard(json(params)), DataTypes.DoubleType);
            default:
                throw new IllegalArgumentException(
                        "unknown function " + kind
                                + "; there are: clean, label, tokenize, encode, populate, augment, jaccard");
        }
    }

    /** Registers a function that counts the rows it sees and is true of each; the counts are in what is returned. */
    public static StepStats count(SparkSession spark, String name) {
        StepStats stats = new StepStats();
        spark.sparkContext().register(stats, name);
        UserDefinedFunction function = functions.udf(stats.counting(), DataTypes.BooleanType);
        spark.udf().register(name, function.asNondeterministic());
        return stats;
    }

    private static UDF1<String, Object> clean(SparkSession spark, String params) {
        Shared<Cleaner> cleaner = Shared.of(spark, "clean", params, text -> new Cleaner(json(text)));
        return text -> {
            if (text == null) {
                return null;
            }
            Cleaner.Result result = cleaner.get().clean(text);
            return RowFactory.create(result.text(), result.reason());
        };
    }

    private static UDF1<String, Object> tokenize(SparkSession spark, String params) {
        Shared<TextTokenizer> tokenizer = Shared.of(spark, "tokenize", params, text -> new TextTokenizer(json(text)));
        return text -> text == null ? null : tokenizer.get().tokenize(text);
    }

    private static UDF1<scala.collection.Seq<String>, Object> encode(SparkSession spark, JsonNode params) {
        int length = params.path("length").asInt();
        int buckets = params.path("oov_buckets").asInt(0);
        boolean fromEnd = params.path("truncate").asText("end").equals("start");
        String vocabulary = read(spark, params.path("vocabulary_file").asText());
        Shared<Encoder> encoder = Shared.of(spark, "encode " + length + fromEnd + buckets, vocabulary,
                text -> new Encoder(text, length, fromEnd, buckets));
        return tokens -> tokens == null ? null : RowFactory.create(encoder.get().encode(tokens::apply, tokens.size()));
    }

    private static UDF1<Long, Object> populate(SparkSession spark, String plan) {
        Shared<Populator> populator = Shared.of(spark, "populate", plan, text -> new Populator(json(text)));
        return i -> {
            Utterance made = populator.get().at(i);
            Object[] spans = made.spans().stream()
                    .map(span -> RowFactory.create(span.start(), span.end(), span.entity()))
                    .toArray();
            return RowFactory.create(made.text(), made.label(), made.line(), spans);
        };
    }

    private static UDF3<String, scala.collection.Seq<Row>, scala.collection.Seq<Long>, Object> augment(
            SparkSession spark, String params) {
        Shared<Augmenter> augmenter = Shared.of(spark, "augment", params, text -> new Augmenter(json(text)));
        return (text, spans, seeds) -> {
            if (text == null || seeds == null) {
                return null;
            }
            List<Row> named = new ArrayList<>();
            List<int[]> places = new ArrayList<>();
            for (int i = 0; spans != null && i < spans.size(); i++) {
                named.add(spans.apply(i));
                places.add(new int[] {spans.apply(i).getInt(0), spans.apply(i).getInt(1)});
            }
            long[] numbers = new long[seeds.size()];
            Arrays.setAll(numbers, seeds::apply);
            return augmenter.get().copies(text, places, numbers).stream()
                    .map(copy -> copy == null ? null : row(copy, spans == null ? null : named))
                    .toArray();
        };
    }

    private static Row row(Augmenter.Copy copy, List<Row> spans) {
        if (spans == null) {
            return RowFactory.create(copy.text(), null, copy.operation());
        }
        int[][] places = copy.places();
        Row[] moved = IntStream.range(0, spans.size())
                .filter(i -> places[i] != null)
                .mapToObj(i -> RowFactory.create(places[i][0], places[i][1], spans.get(i).getString(2)))
                .sorted(Comparator.comparingInt(span -> span.getInt(0)))
                .toArray(Row[]::new);
        return RowFactory.create(copy.text(), moved, copy.operation());
    }

    private static UDF2<String, String, Double> jaccard(JsonNode params) {
        Shingles shingles = new Shingles(params.path("unit").asText(), params.path("ngram").asInt());
        return (a, b) -> Shingles.jaccard(shingles.of(a), shingles.of(b));
    }

    static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** A file's text; a path without a scheme is one of Spark's default file system. */
    private static String read(SparkSession spark, String file) {
        Path path = new Path(file);
        try (InputStream in = path.getFileSystem(spark.sessionState().newHadoopConf()).open(path);
                ByteArrayOutputStream out = new ByteArrayOutputStream()) {
            IOUtils.copyBytes(in, out, 1 << 16);
            return new String(out.toByteArray(), StandardCharsets.UTF_8);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
