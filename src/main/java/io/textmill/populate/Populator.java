package io.textmill.populate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All utterances of an expansion plan by number: the i-th can be computed anywhere, alone, and is always the same. */
public final class Populator {
    private final List<Template> templates = new ArrayList<>();
    private final long[] ends;

    /** A plan as text.populate compiles it: seed, lists, templates with their amounts. */
    public Populator(JsonNode plan) {
        long seed = plan.path("seed").asLong();
        Map<String, Template.Values> lists = new HashMap<>();
        plan.path("lists").fields().forEachRemaining(
                entry -> lists.put(entry.getKey(), new Template.Values(entry.getValue())));
        plan.path("templates").forEach(template -> templates.add(new Template(template, lists, seed)));
        ends = new long[templates.size()];
        long end = 0;
        for (int t = 0; t < ends.length; t++) {
            end = Math.addExact(end, templates.get(t).amount);
            ends[t] = end;
        }
    }

    /** How many utterances there are. */
    public long size() {
        return ends.length == 0 ? 0 : ends[ends.length - 1];
    }

    /** The i-th utterance; raises IndexOutOfBoundsException unless 0 ≤ i &lt; size. */
    public Utterance at(long i) {
        if (i < 0 || i >= size()) {
            throw new IndexOutOfBoundsException("utterance " + i + " of " + size());
        }
        int low = 0;
        int high = ends.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (i < ends[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return templates.get(low).at(low == 0 ? i : i - ends[low - 1]);
    }
}
