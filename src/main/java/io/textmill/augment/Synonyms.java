package io.textmill.augment;

import com.fasterxml.jackson.databind.JsonNode;
import io.textmill.populate.Particles;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** A table of words and their weighted synonyms. A Korean noun is found with its particle, which agrees afterwards. */
final class Synonyms {
    private static final Set<String> PARTICLES = Set.of(
            "에", "에서", "에게", "에는", "에도", "에서는", "의", "도", "만", "만요", "부터", "까지", "처럼", "보다", "한테", "하고", "들",
            "께", "밖에", "마다", "조차", "마저", "대로", "쯤", "요");
    /** What 하다 and 되다, which make verbs of nouns, begin with in any of their forms. */
    private static final String VERB_STARTS = "하해했할한합함되돼됐될된됩됨";

    private static final class Choice {
        final List<String> words = new ArrayList<>();
        final List<Double> reached = new ArrayList<>();
        double weight;

        String draw(SplittableRandom random) {
            double at = random.nextDouble() * weight;
            int i = 0;
            while (i < words.size() - 1 && reached.get(i) <= at) {
                i++;
            }
            return words.get(i);
        }
    }

    private final Map<String, Choice> choices = new HashMap<>();

    /** {@code table} maps a word to its synonyms, and each of them to its weight. */
    Synonyms(JsonNode table) {
        table.fields().forEachRemaining(entry -> {
            Choice choice = choices.computeIfAbsent(entry.getKey(), word -> new Choice());
            entry.getValue().fields().forEachRemaining(synonym -> {
                choice.words.add(synonym.getKey());
                choice.weight += synonym.getValue().asDouble();
                choice.reached.add(choice.weight);
            });
        });
    }

    boolean isEmpty() {
        return choices.isEmpty();
    }

    /** The word with a synonym in it instead of the longest entry that it begins with; null where there is none. */
    String instead(String word, SplittableRandom random) {
        int signs = word.length();
        while (signs > 0 && !Character.isLetterOrDigit(word.charAt(signs - 1))) {
            signs--;
        }
        for (int end = word.length(); end > 0; end--) {
            Choice choice = choices.get(word.substring(0, end));
            String rest = word.substring(end, Math.max(end, signs));
            if (choice != null && (rest.isEmpty() || end > 1 && isEnding(rest))) {
                String synonym = choice.draw(random);
                return synonym + Particles.agreeing(rest, synonym) + word.substring(Math.max(end, signs));
            }
        }
        return null;
    }

    private static boolean isEnding(String rest) {
        return PARTICLES.contains(rest) || Particles.isForm(rest) || VERB_STARTS.indexOf(rest.charAt(0)) >= 0;
    }
}
