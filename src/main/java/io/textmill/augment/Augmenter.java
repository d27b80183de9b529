package io.textmill.augment;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/** Makes changed copies of texts. What a copy is like depends on the number that is given for it alone. */
public final class Augmenter {
    private static final int ATTEMPTS = 4;

    private final Map<Operation, Double> rates = new EnumMap<>(Operation.class);
    private final List<Operation> operations;
    private final Map<String, List<String>> synonyms = new HashMap<>();
    private final boolean protect;

    /** Parameters as text.augment declares them: the operations' rates, synonyms (word to list), keep. */
    public Augmenter(JsonNode params) {
        for (Operation operation : Operation.values()) {
            double rate = params.path(operation.name().toLowerCase(Locale.ROOT)).asDouble(0);
            if (rate > 0) {
                rates.put(operation, rate);
            }
        }
        operations = new ArrayList<>(rates.keySet());
        protect = params.path("keep").asText("entities").equals("entities");
        params.path("synonyms").fields().forEachRemaining(entry -> {
            List<String> words = new ArrayList<>();
            entry.getValue().forEach(word -> words.add(word.asText()));
            synonyms.put(entry.getKey(), words);
        });
    }

    /** A changed text, where its entities are now, and the name of the operation. */
    public static final class Copy {
        public final String text;
        public final int[][] places;
        public final String operation;

        Copy(String text, int[][] places, String operation) {
            this.text = text;
            this.places = places;
            this.operation = operation;
        }
    }

    /**
     * The copy with the number {@code seed} of a text with entities at {@code spans} (start, end; ascending); null where
     * no operation changes the text.
     */
    public Copy copy(String text, List<int[]> spans, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int first = operations.isEmpty() ? 0 : random.nextInt(operations.size());
        for (int attempt = 0; attempt < ATTEMPTS * operations.size(); attempt++) {
            // Each operation gets its attempts before the next one, or the frequent failures of one would favour others.
            Operation operation = operations.get((first + attempt / ATTEMPTS) % operations.size());
            Words words = new Words(text, spans, protect);
            operation.apply(words, times(operation, text, words), synonyms, random);
            int[][] places = new int[spans.size()][];
            String changed = words.join(places);
            if (!changed.equals(text) && !changed.isBlank() && isWhole(places)) {
                return new Copy(changed, places, operation.name().toLowerCase(Locale.ROOT));
            }
        }
        return null;
    }

    private int times(Operation operation, String text, Words words) {
        int of = operation == Operation.TYPO ? text.length() : words.words.size();
        return (int) Math.max(1, Math.round(rates.get(operation) * of));
    }

    private static boolean isWhole(int[][] places) {
        for (int[] place : places) {
            if (place == null) {
                return false;
            }
        }
        return true;
    }
}
