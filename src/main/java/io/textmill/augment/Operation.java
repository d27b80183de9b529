package io.textmill.augment;

import io.textmill.augment.Words.Word;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A way to change a text: the four of EDA (Wei and Zou, EMNLP 2019), and errors of spacing and typing. Each changes
 * max(1, rate × words) words; {@code typo} so many characters.
 */
enum Operation {
    SYNONYM {
        @Override
        void apply(Words text, int times, Map<String, List<String>> synonyms, SplittableRandom random) {
            for (int i : some(text.open(), text.words.size(), random)) {
                Word word = text.words.get(i);
                List<String> found = synonyms.get(word.text);
                if (found != null && times-- > 0) {
                    word.text = found.get(random.nextInt(found.size()));
                }
            }
        }
    },
    INSERT {
        @Override
        void apply(Words text, int times, Map<String, List<String>> synonyms, SplittableRandom random) {
            for (int i : some(text.open(), text.words.size(), random)) {
                List<String> found = synonyms.get(text.words.get(i).text);
                if (found != null && times-- > 0) {
                    Word word = new Word(found.get(random.nextInt(found.size())), true);
                    text.words.add(random.nextInt(text.words.size() + 1), word);
                    return;
                }
            }
        }
    },
    SWAP {
        @Override
        void apply(Words text, int times, Map<String, List<String>> synonyms, SplittableRandom random) {
            int size = text.words.size();
            for (int i = 0; i < times && size > 1; i++) {
                int first = random.nextInt(size);
                Collections.swap(text.words, first, (first + 1 + random.nextInt(size - 1)) % size);
            }
        }
    },
    DELETE {
        @Override
        void apply(Words text, int times, Map<String, List<String>> synonyms, SplittableRandom random) {
            List<Integer> gone = some(text.open(), Math.min(times, text.words.size() - 1), random);
            gone.sort(Collections.reverseOrder());
            gone.forEach(i -> text.words.remove((int) i));
        }
    },
    SPACING {
        @Override
        void apply(Words text, int times, Map<String, List<String>> synonyms, SplittableRandom random) {
            for (int i = 0; i < times; i++) {
                int gaps = text.words.size() - 1;
                List<Integer> breakable = text.open();
                breakable.removeIf(word -> text.words.get(word).text.length() < 3);
                if (gaps > 0 && (breakable.isEmpty() || random.nextInt(3) > 0)) {
                    text.words.get(random.nextInt(gaps)).spaced = false;
                } else if (!breakable.isEmpty()) {
                    part(text.words.get(breakable.get(random.nextInt(breakable.size()))), random);
                }
            }
        }
    },
    TYPO {
        @Override
        void apply(Words text, int times, Map<String, List<String>> synonyms, SplittableRandom random) {
            List<Integer> open = text.open();
            for (int i = 0; i < times && !open.isEmpty(); i++) {
                Word word = text.words.get(open.get(random.nextInt(open.size())));
                int at = random.nextInt(word.text.length());
                char c = word.text.charAt(at);
                if (Keyboard.isTyped(c)) {
                    word.text = word.text.substring(0, at) + Keyboard.slip(c, random) + word.text.substring(at + 1);
                }
            }
        }
    };

    /** Change the text, at most {@code times} times. */
    abstract void apply(Words text, int times, Map<String, List<String>> synonyms, SplittableRandom random);

    /** So many of the numbers, in random order. */
    private static List<Integer> some(List<Integer> numbers, int count, SplittableRandom random) {
        for (int i = numbers.size() - 1; i > 0; i--) {
            Collections.swap(numbers, i, random.nextInt(i + 1));
        }
        return numbers.subList(0, Math.max(0, Math.min(count, numbers.size())));
    }

    /** Puts a space into a word, never inside a surrogate pair. */
    private static void part(Word word, SplittableRandom random) {
        int at = 1 + random.nextInt(word.text.length() - 1);
        if (!Character.isLowSurrogate(word.text.charAt(at)) && word.entities.isEmpty()) {
            word.text = word.text.substring(0, at) + " " + word.text.substring(at);
        }
    }
}
