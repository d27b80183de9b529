package io.textmill.populate;

import com.fasterxml.jackson.databind.JsonNode;
import io.textmill.SplitMix64;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One template and the utterances it makes: the i-th of n is a combination of slot values that no other i has.
 *
 * <p>Slots with weights are divided first, one after the other, each by an {@link Allocation} of what the slots before
 * it leave; what remains is a number in mixed radix over the slots without weights, through a {@link Permutation}.
 */
final class Template {
    /** A list of a definition's dictionary; weights are null where all values count the same. */
    static final class Values {
        final String[] values;
        final double[] weights;

        Values(JsonNode node) {
            values = new String[node.path("values").size()];
            for (int v = 0; v < values.length; v++) {
                values[v] = node.path("values").get(v).asText();
            }
            JsonNode given = node.path("weights");
            weights = given.isArray() ? new double[values.length] : null;
            for (int v = 0; weights != null && v < values.length; v++) {
                weights[v] = given.get(v).asDouble();
            }
        }
    }

    private static final class Piece {
        String text;
        String particle;
        String entity;
        boolean span;
        String[] values;
        double[] weights;
    }

    /** More combinations than are ever asked for; a power of two that the permutation can still work on. */
    private static final long LARGE = 1L << 62;

    final long amount;
    private final String label;
    private final int line;
    private final long seed;
    private final List<Piece> pieces = new ArrayList<>();
    private final List<Integer> weighted = new ArrayList<>();
    private final List<Integer> plain = new ArrayList<>();
    /** Slots beyond what one number can hold: the others alone make more than enough different combinations. */
    private final List<Integer> free = new ArrayList<>();
    /** Allocations by level and n: the same few n come up for almost all utterances of a template. */
    private final List<Map<Long, Allocation>> allocations = new ArrayList<>();
    private final long[] capsAfter;
    private final long plainSize;

    Template(JsonNode node, Map<String, Values> lists, long seed) {
        amount = node.path("amount").asLong();
        label = node.path("label").asText();
        line = node.path("line").asInt();
        if (amount < 0 || amount > Allocation.MOST) {
            throw new IllegalArgumentException("template at line " + line + ": can't make " + amount + " utterances");
        }
        this.seed = SplitMix64.mix(seed * 31 + line);
        node.path("pieces").forEach(piece -> pieces.add(piece(piece, lists)));
        plainSize = sortSlots();
        capsAfter = new long[weighted.size()];
        long size = plainSize;
        for (int level = weighted.size() - 1; level >= 0; level--) {
            capsAfter[level] = size;
            size = Math.min(LARGE, times(size, pieces.get(weighted.get(level)).values.length));
        }
    }

    /** Divides the slots into weighted, plain and free ones; the number of combinations of the plain ones. */
    private long sortSlots() {
        long size = 1;
        for (int p = 0; p < pieces.size(); p++) {
            Piece piece = pieces.get(p);
            if (piece.weights != null) {
                weighted.add(p);
                allocations.add(new ConcurrentHashMap<>());
            } else if (piece.values != null && times(size, piece.values.length) > LARGE) {
                free.add(p);
            } else if (piece.values != null) {
                plain.add(p);
                size *= piece.values.length;
            }
        }
        return size;
    }

    private static long times(long a, long b) {
        return Math.multiplyHigh(a, b) == 0 && a * b >= 0 ? a * b : Long.MAX_VALUE;
    }

    private static Piece piece(JsonNode node, Map<String, Values> lists) {
        Piece piece = new Piece();
        if (node.has("text")) {
            piece.text = node.get("text").asText();
        } else if (node.has("particle")) {
            piece.particle = node.get("particle").asText();
        } else if (node.has("choice")) {
            piece.values = new String[node.get("choice").size()];
            for (int v = 0; v < piece.values.length; v++) {
                piece.values[v] = node.get("choice").get(v).asText();
            }
        } else {
            piece.entity = node.get("entity").asText();
            piece.span = node.path("span").asBoolean(true);
            Values values = lists.get(piece.entity);
            if (values == null) {
                throw new IllegalArgumentException("the plan has no list " + piece.entity);
            }
            piece.values = values.values;
            piece.weights = values.weights;
        }
        return piece;
    }

    /** The i-th utterance, 0 ≤ i &lt; amount. */
    Utterance at(long i) {
        int[] chosen = new int[pieces.size()];
        long n = amount;
        long path = seed;
        for (int level = 0; level < weighted.size(); level++) {
            int p = weighted.get(level);
            Piece piece = pieces.get(p);
            long cap = capsAfter[level];
            Allocation allocation = allocations.get(level)
                    .computeIfAbsent(n, count -> new Allocation(count, piece.weights, cap));
            long u = SplitMix64.uniform(path);
            int value = allocation.valueAt(i, u);
            chosen[p] = value;
            long start = allocation.start(value, u);
            n = allocation.end(value, u) - start;
            i -= start;
            path = SplitMix64.mix(path * 31 + value);
        }
        chooseUnweighted(chosen, path, i);
        return render(chosen);
    }

    private void chooseUnweighted(int[] chosen, long path, long i) {
        for (int p : free) {
            long any = SplitMix64.mix(SplitMix64.uniform(path + i) + p);
            chosen[p] = Math.floorMod(any, pieces.get(p).values.length);
        }
        long rest = new Permutation(plainSize, path).at(i);
        for (int p : plain) {
            int size = pieces.get(p).values.length;
            chosen[p] = (int) (rest % size);
            rest /= size;
        }
    }

    private Utterance render(int[] chosen) {
        StringBuilder text = new StringBuilder();
        List<Utterance.Span> spans = new ArrayList<>();
        for (int p = 0; p < chosen.length; p++) {
            Piece piece = pieces.get(p);
            if (piece.text != null) {
                text.append(piece.text);
            } else if (piece.particle != null) {
                text.append(Particles.fitting(piece.particle, text));
            } else {
                int start = text.length();
                String value = piece.values[chosen[p]];
                text.append(piece.entity == null && Particles.isPair(value) ? Particles.fitting(value, text) : value);
                if (piece.entity != null && piece.span) {
                    spans.add(new Utterance.Span(start, text.length(), piece.entity));
                }
            }
        }
        return new Utterance(text.toString(), label, line, spans);
    }
}
