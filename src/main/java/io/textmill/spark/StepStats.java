package io.textmill.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.api.java.UDF5;
import org.apache.spark.util.AccumulatorV2;

/**
 * Counts, reasons, labels and lengths of the rows that pass, as JSON.
 *
 * <p>An accumulator that a function in the writing stage fills, for Spark counts each task of a job's last stage once,
 * however often it was tried. (Its Observation can't: a typed aggregate in it does not serialize in Spark 3.5.)
 */
public final class StepStats extends AccumulatorV2<StepStats.Counts, StepStats.Counts> {
    private static final int MAX_LABELS = 10_000;
    /** Longer rows share the histogram's bars of a hundred. */
    private static final int EXACT_LENGTHS = 200;

    private Counts counts = new Counts();

    /** What has been counted. */
    static final class Counts implements Serializable {
        final Map<String, Part> parts = new HashMap<>();
        final Map<String, Long> reasons = new HashMap<>();
    }

    static final class Part implements Serializable {
        long rows;
        long sum;
        long max;
        long unknown = -1;
        final Map<String, Long> labels = new HashMap<>();
        final Map<Integer, Long> histogram = new HashMap<>();

        void add(String label, Integer length, Integer unknownTokens) {
            rows++;
            if (label != null) {
                labels.merge(labels.size() < MAX_LABELS || labels.containsKey(label) ? label : "…", 1L, Long::sum);
            }
            if (length != null) {
                sum += length;
                max = Math.max(max, length);
                histogram.merge(length <= EXACT_LENGTHS ? length : length / 100 * 100, 1L, Long::sum);
            }
            if (unknownTokens != null) {
                unknown = Math.max(0, unknown) + unknownTokens;
            }
        }

        void add(Part other) {
            rows += other.rows;
            sum += other.sum;
            max = Math.max(max, other.max);
            unknown = other.unknown < 0 ? unknown : Math.max(0, unknown) + other.unknown;
            other.labels.forEach((label, count) -> labels.merge(label, count, Long::sum));
            other.histogram.forEach((length, count) -> histogram.merge(length, count, Long::sum));
        }
    }

    /** The function (part, reason, label, length, unknown tokens) that counts a row and lets it pass. */
    UDF5<String, String, String, Integer, Integer, Boolean> counting() {
        return (part, reason, label, length, unknown) -> {
            counts.parts.computeIfAbsent(part, name -> new Part()).add(label, length, unknown);
            if (reason != null) {
                counts.reasons.merge(reason, 1L, Long::sum);
            }
            return true;
        };
    }

    @Override
    public boolean isZero() {
        return counts.parts.isEmpty();
    }

    @Override
    public StepStats copy() {
        StepStats copy = new StepStats();
        copy.add(counts);
        return copy;
    }

    @Override
    public void reset() {
        counts = new Counts();
    }

    @Override
    public void add(Counts other) {
        other.parts.forEach((name, part) -> counts.parts.computeIfAbsent(name, key -> new Part()).add(part));
        other.reasons.forEach((reason, count) -> counts.reasons.merge(reason, count, Long::sum));
    }

    @Override
    public void merge(AccumulatorV2<Counts, Counts> other) {
        add(other.value());
    }

    @Override
    public Counts value() {
        return counts;
    }

    /** {"parts": {name: {"rows", "labels", "lengths", "unknown"}}, "reasons": {…}}. */
    public String json() {
        ObjectMapper json = new ObjectMapper();
        ObjectNode root = json.createObjectNode();
        ObjectNode parts = root.putObject("parts");
        new TreeMap<>(counts.parts).forEach((name, part) -> {
            ObjectNode node = parts.putObject(name).put("rows", part.rows);
            node.set("labels", json.valueToTree(new TreeMap<>(part.labels)));
            ObjectNode lengths = node.putObject("lengths").put("sum", part.sum).put("max", part.max);
            lengths.set("histogram", json.valueToTree(new TreeMap<>(part.histogram)));
            if (part.unknown >= 0) {
                node.put("unknown", part.unknown);
            }
        });
        root.set("reasons", json.valueToTree(new TreeMap<>(counts.reasons)));
        try {
            return json.writeValueAsString(root);
        } catch (JsonProcessingException error) {
            throw new UncheckedIOException(error);
        }
    }
}
