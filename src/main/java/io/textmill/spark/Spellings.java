package io.textmill.spark;

import java.io.Serializable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** How labels were written where that is not the label itself: rows by label and spelling. */
final class Spellings implements Serializable {
    private static final int MOST = 10_000;
    /** Cleaned labels don't hold it. */
    private static final char BETWEEN = '\0';

    private final Map<String, Long> rows = new HashMap<>();

    void add(String label, String spelling) {
        count(label + BETWEEN + spelling, 1);
    }

    void add(Spellings other) {
        other.rows.forEach(this::count);
    }

    private void count(String key, long more) {
        rows.merge(key, more, Long::sum);
        if (rows.size() > 2 * MOST) {
            cut();
        }
    }

    /** The first in their own order stay, whatever was met first. */
    private void cut() {
        if (rows.size() > MOST) {
            String[] sorted = rows.keySet().toArray(new String[0]);
            Arrays.sort(sorted);
            for (int i = MOST; i < sorted.length; i++) {
                rows.remove(sorted[i]);
            }
        }
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    Map<String, Map<String, Long>> byLabel() {
        cut();
        Map<String, Map<String, Long>> found = new TreeMap<>();
        rows.forEach((key, count) -> {
            int end = key.indexOf(BETWEEN);
            found.computeIfAbsent(key.substring(0, end), label -> new TreeMap<>()).put(key.substring(end + 1), count);
        });
        return found;
    }
}
