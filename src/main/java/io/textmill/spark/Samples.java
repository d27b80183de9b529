package io.textmill.spark;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.textmill.SplitMix64;
import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** A few rows for each reason: those with the lowest hashes of their texts, whatever the order they come in. */
final class Samples implements Serializable {
    private static final int EACH = 5;
    private static final int MAX_LENGTH = 200;

    private static final class Row implements Comparable<Row>, Serializable {
        final long hash;
        final String text;
        final String label;

        Row(long hash, String text, String label) {
            this.hash = hash;
            this.text = text;
            this.label = label;
        }

        @Override
        public int compareTo(Row other) {
            int byHash = Long.compare(hash, other.hash);
            int byText = byHash != 0 ? byHash : text.compareTo(other.text);
            return byText != 0 ? byText : String.valueOf(label).compareTo(String.valueOf(other.label));
        }
    }

    private final Map<String, TreeSet<Row>> rows = new TreeMap<>();

    void add(String reason, String label, String text) {
        long hash = SplitMix64.mix(text.hashCode());
        TreeSet<Row> kept = of(reason == null ? "" : reason);
        if (kept.size() < EACH || hash <= kept.last().hash) {
            add(kept, new Row(hash, text.length() <= MAX_LENGTH ? text : cut(text), label));
        }
    }

    void add(Samples other) {
        other.rows.forEach((reason, found) -> {
            TreeSet<Row> kept = of(reason);
            found.forEach(row -> add(kept, row));
        });
    }

    /** {@code [{"text", "label", "reason"}, …]}, the last two only where there is one. */
    ArrayNode json() {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        rows.forEach((reason, kept) -> kept.forEach(row -> {
            ObjectNode node = array.addObject().put("text", row.text);
            if (row.label != null) {
                node.put("label", row.label);
            }
            if (!reason.isEmpty()) {
                node.put("reason", reason);
            }
        }));
        return array;
    }

    private TreeSet<Row> of(String reason) {
        return rows.computeIfAbsent(reason, name -> new TreeSet<>());
    }

    private static void add(TreeSet<Row> kept, Row row) {
        kept.add(row);
        if (kept.size() > EACH) {
            kept.pollLast();
        }
    }

    private static String cut(String text) {
        int end = Character.isHighSurrogate(text.charAt(MAX_LENGTH - 1)) ? MAX_LENGTH - 1 : MAX_LENGTH;
        return text.substring(0, end) + "…";
    }
}
