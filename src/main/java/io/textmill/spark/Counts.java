package io.textmill.spark;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** What is counted of rows by part, samples of them, and rows by reason. The order of counting never shows. */
final class Counts implements Serializable {
    private static final int MAX_LABELS = 10_000;
    private static final String OTHERS = "…";
    /** Longer rows share the histogram's bars of a hundred. */
    private static final int EXACT_LENGTHS = 200;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Part> parts = new HashMap<>();
    private final Map<String, Long> reasons = new HashMap<>();

    void add(String part, String reason, String label, String spelling, Integer length, Integer unknown, String text) {
        Part of = parts.computeIfAbsent(part, name -> new Part());
        of.add(label, length, unknown);
        if (label != null && spelling != null) {
            of.spellings.add(label, spelling);
        }
        if (text != null) {
            of.writing.merge(Writing.of(text), 1L, Long::sum);
            of.samples.add(reason, label, text);
        }
        if (reason != null) {
            reasons.merge(reason, 1L, Long::sum);
        }
    }

    void add(Counts other) {
        other.parts.forEach((name, part) -> parts.computeIfAbsent(name, key -> new Part()).add(part));
        other.reasons.forEach((reason, count) -> reasons.merge(reason, count, Long::sum));
    }

    boolean isEmpty() {
        return parts.isEmpty();
    }

    ObjectNode json() {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode described = root.putObject("parts");
        new TreeMap<>(parts).forEach((name, part) -> described.set(name, part.json()));
        root.set("reasons", JSON.valueToTree(new TreeMap<>(reasons)));
        return root;
    }

    private static final class Part implements Serializable {
        private long rows;
        private long sum;
        private long max;
        private long unknown = -1;
        private long others;
        private final Map<String, Long> labels = new HashMap<>();
        private final Spellings spellings = new Spellings();
        private final Map<Integer, Long> histogram = new HashMap<>();
        private final Map<String, Long> writing = new HashMap<>();
        private final Samples samples = new Samples();

        void add(String label, Integer length, Integer unknownTokens) {
            rows++;
            if (label != null) {
                count(label, 1);
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
            others += other.others;
            other.labels.forEach(this::count);
            other.histogram.forEach((length, count) -> histogram.merge(length, count, Long::sum));
            other.writing.forEach((name, count) -> writing.merge(name, count, Long::sum));
            spellings.add(other.spellings);
            samples.add(other.samples);
        }

        private void count(String label, long rows) {
            labels.merge(label, rows, Long::sum);
            if (labels.size() > 2 * MAX_LABELS) {
                cut();
            }
        }

        /**
         * Only the first labels in their own order are named. Whatever is met first, one of those is never cut: no more
         * than MAX_LABELS - 1 can stand before it.
         */
        private void cut() {
            if (labels.size() <= MAX_LABELS) {
                return;
            }
            String[] sorted = labels.keySet().toArray(new String[0]);
            Arrays.sort(sorted);
            for (int i = MAX_LABELS; i < sorted.length; i++) {
                others += labels.remove(sorted[i]);
            }
        }

        ObjectNode json() {
            cut();
            Map<String, Long> named = new TreeMap<>(labels);
            if (others > 0) {
                named.merge(OTHERS, others, Long::sum);
            }
            ObjectNode node = JSON.createObjectNode().put("rows", rows);
            node.set("labels", JSON.valueToTree(named));
            if (!spellings.isEmpty()) {
                node.set("spellings", JSON.valueToTree(spellings.byLabel()));
            }
            ObjectNode lengths = node.putObject("lengths").put("sum", sum).put("max", max);
            lengths.set("histogram", JSON.valueToTree(new TreeMap<>(histogram)));
            node.set("writing", JSON.valueToTree(new TreeMap<>(writing)));
            node.set("samples", samples.json());
            return unknown < 0 ? node : node.put("unknown", unknown);
        }
    }
}
