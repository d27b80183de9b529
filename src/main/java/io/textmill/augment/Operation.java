package io.textmill.augment;

import io.textmill.augment.Words.Word;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A way to change a text: the four of EDA (Wei and Zou, EMNLP 2019), and errors of spacing and typing. Each makes
 * max(1, rate × words) changes, {@code TYPO} so many for the letters and syllables that may change.
 */
enum Operation {
    SYNONYM {
        @Override
        void apply(Words text, int times, Synonyms synonyms, SplittableRandom random) {
            int left = times;
            for (int i : some(text.open(), text.words.size(), random)) {
                Word word = text.words.get(i);
                String synonym = left > 0 ? synonyms.instead(word.text, random) : null;
                if (synonym != null) {
                    word.change(synonym);
                    left--;
                }
            }
        }
    },
    INSERT {
        @Override
        void apply(Words text, int times, Synonyms synonyms, SplittableRandom random) {
            List<String> found = new ArrayList<>();
            for (int i : text.open()) {
                String synonym = synonyms.instead(text.words.get(i).text, random);
                if (synonym != null) {
                    found.add(synonym);
                }
            }
            for (int i = 0; i < times && !found.isEmpty(); i++) {
                Word word = new Word(found.get(random.nextInt(found.size())), false);
                text.words.add(random.nextInt(text.words.size() + 1), word);
            }
        }
    },
    SWAP {
        @Override
        void apply(Words text, int times, Synonyms synonyms, SplittableRandom random) {
            int size = text.words.size();
            for (int i = 0; i < times && size > 1; i++) {
                int first = random.nextInt(size);
                Collections.swap(text.words, first, (first + 1 + random.nextInt(size - 1)) % size);
            }
        }
    },
    DELETE {
        @Override
        void apply(Words text, int times, Synonyms synonyms, SplittableRandom random) {
            List<Integer> gone = some(text.open(), Math.min(times, text.words.size() - 1), random);
            gone.sort(Collections.reverseOrder());
            gone.forEach(i -> text.words.remove((int) i));
        }
    },
    SPACING {
        @Override
        void apply(Words text, int times, Synonyms synonyms, SplittableRandom random) {
            for (int i = 0; i < times; i++) {
                List<Word> gaps = new ArrayList<>(text.words.subList(0, text.words.size() - 1));
                gaps.removeIf(word -> !word.spaced);
                List<int[]> breaks = places(text, Operation::isInside);
                // People leave out spaces more often than they put them in.
                if (!gaps.isEmpty() && (breaks.isEmpty() || random.nextInt(3) > 0)) {
                    gaps.get(random.nextInt(gaps.size())).spaced = false;
                } else if (!breaks.isEmpty()) {
                    int[] at = breaks.get(random.nextInt(breaks.size()));
                    Word word = text.words.get(at[0]);
                    word.change(word.text.substring(0, at[1]) + " " + word.text.substring(at[1]));
                }
            }
        }
    },
    TYPO {
        @Override
        void apply(Words text, int times, Synonyms synonyms, SplittableRandom random) {
            Map<Integer, BitSet> slips = new TreeMap<>();
            for (int[] at : some(places(text, Operation::isTyped), times, random)) {
                slips.computeIfAbsent(at[0], word -> new BitSet()).set(at[1]);
            }
            slips.forEach((i, at) -> text.words.get(i).change(Keyboard.type(text.words.get(i).text, at, random)));
        }

        @Override
        int units(Words text) {
            return places(text, Operation::isTyped).size();
        }
    };

    private interface Place {
        boolean is(String word, int at);
    }

    /** Change the text, at most {@code times} times. */
    abstract void apply(Words text, int times, Synonyms synonyms, SplittableRandom random);

    /** What the rate is a share of. */
    int units(Words text) {
        return text.words.size();
    }

    /** (word, offset) of all places of such a kind in words that may be changed. */
    private static List<int[]> places(Words text, Place place) {
        List<int[]> places = new ArrayList<>();
        for (int i : text.open()) {
            String word = text.words.get(i).text;
            for (int at = 0; at < word.length(); at++) {
                if (place.is(word, at)) {
                    places.add(new int[] {i, at});
                }
            }
        }
        return places;
    }

    private static boolean isTyped(String word, int at) {
        return Keyboard.isTyped(word.charAt(at));
    }

    /** Between two letters of a word that has three. */
    private static boolean isInside(String word, int at) {
        return word.length() > 2 && at > 0 && Character.isLetter(word.charAt(at - 1)) && Character.isLetter(word.charAt(at));
    }

    /** So many of the items, in random order; shuffles them. */
    static <T> List<T> some(List<T> items, int count, SplittableRandom random) {
        for (int i = items.size() - 1; i > 0; i--) {
            Collections.swap(items, i, random.nextInt(i + 1));
        }
        return items.subList(0, Math.max(0, Math.min(count, items.size())));
    }
}
