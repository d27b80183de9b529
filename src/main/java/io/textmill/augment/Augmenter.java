package io.textmill.augment;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** Makes changed copies of texts. What they are like depends on the numbers that are given for them alone. */
public final class Augmenter {
    private static final int ATTEMPTS = 3;

    private final Map<Operation, Double> rates = new EnumMap<>(Operation.class);
    private final List<Operation> operations;
    private final Synonyms synonyms;
    private final boolean protect;
    private final boolean all;

    /** Parameters as text.augment declares them: the operations' rates, mix, keep, and synonyms (word to word to weight). */
    public Augmenter(JsonNode params) {
        synonyms = new Synonyms(params.path("synonyms"));
        for (Operation operation : Operation.values()) {
            double rate = params.path(name(operation)).asDouble(0);
            boolean able = !synonyms.isEmpty() || operation != Operation.SYNONYM && operation != Operation.INSERT;
            if (rate > 0 && able) {
                rates.put(operation, rate);
            }
        }
        operations = new ArrayList<>(rates.keySet());
        protect = params.path("keep").asText("entities").equals("entities");
        all = params.path("mix").asText("one").equals("all");
    }

    /** A changed text. */
    public static final class Copy {
        private final String text;
        private final int[][] places;
        private final String operation;

        Copy(String text, int[][] places, String operation) {
            this.text = text;
            this.places = places;
            this.operation = operation;
        }

        public String text() {
            return text;
        }

        /** Start and end of each entity of the source, in its order; null for one that was changed. */
        public int[][] places() {
            return places;
        }

        /** The names of the operations that changed something, with + between. */
        public String operation() {
            return operation;
        }
    }

    /**
     * A copy for each of the {@code seeds}, of a text with entities at {@code spans} (start, end; ascending). Null where no
     * operation changes the text; equal to one before only where no attempt made another.
     */
    public List<Copy> copies(String text, List<int[]> spans, long[] seeds) {
        Set<String> seen = new HashSet<>();
        List<Copy> copies = new ArrayList<>();
        for (long seed : seeds) {
            Copy copy = copy(text, spans, new SplittableRandom(seed), seen);
            copies.add(copy);
            if (copy != null) {
                seen.add(copy.text);
            }
        }
        return copies;
    }

    private Copy copy(String text, List<int[]> spans, SplittableRandom random, Set<String> seen) {
        Copy repeated = null;
        for (List<Operation> chosen : tries(random)) {
            Copy copy = attempt(text, spans, chosen, random);
            if (copy != null && !seen.contains(copy.text)) {
                return copy;
            }
            repeated = repeated == null ? copy : repeated;
        }
        return repeated;
    }

    /** Each operation gets its attempts before the next one, or the frequent failures of one would favour others. */
    private List<List<Operation>> tries(SplittableRandom random) {
        if (all) {
            return Collections.nCopies(ATTEMPTS, operations);
        }
        List<List<Operation>> tries = new ArrayList<>();
        for (Operation operation : Operation.some(new ArrayList<>(operations), operations.size(), random)) {
            tries.addAll(Collections.nCopies(ATTEMPTS, List.of(operation)));
        }
        return tries;
    }

    private Copy attempt(String text, List<int[]> spans, List<Operation> chosen, SplittableRandom random) {
        Words words = new Words(text, spans, protect);
        String source = words.join(new int[spans.size()][]);
        List<String> names = new ArrayList<>();
        int[][] places = new int[spans.size()][];
        String before = source;
        for (Operation operation : chosen) {
            int times = (int) Math.max(1, Math.round(rates.get(operation) * operation.units(words)));
            operation.apply(words, times, synonyms, random);
            places = new int[spans.size()][];
            String after = words.join(places);
            if (!after.equals(before)) {
                names.add(name(operation));
            }
            before = after;
        }
        boolean changed = !before.equals(source) && !before.equals(text) && !before.isBlank();
        return changed ? new Copy(before, places, String.join("+", names)) : null;
    }

    private static String name(Operation operation) {
        return operation.name().toLowerCase(Locale.ROOT);
    }
}
