package io.textmill.augment;

import io.textmill.text.TextTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A text as words between spaces. Words of one entity hang together, and protected ones are never changed inside. */
final class Words {
    private static final Pattern WORD = Pattern.compile("\\S+");

    /** One word, or the words that an entity spreads over. */
    static final class Word {
        String text;
        final boolean kept;
        /** Whether a space follows, unless it is the last. */
        boolean spaced = true;
        /** Places of entities: offset in the text, length, and the number of the span. */
        final List<int[]> entities = new ArrayList<>();

        Word(String text, boolean kept) {
            this.text = text;
            this.kept = kept;
        }

        /** Entities of a word that changes are no longer what they were called. */
        void change(String changed) {
            text = changed;
            entities.clear();
        }
    }

    final List<Word> words = new ArrayList<>();

    /** {@code spans} are (start, end) in UTF-16 units, ascending. */
    Words(String text, List<int[]> spans, boolean protect) {
        Matcher matcher = WORD.matcher(text);
        int span = 0;
        int from = 0;
        while (from < text.length() && matcher.find(from)) {
            int end = matcher.end();
            List<int[]> inside = new ArrayList<>();
            while (span < spans.size() && spans.get(span)[0] < end) {
                int[] place = spans.get(span);
                inside.add(new int[] {place[0] - matcher.start(), place[1] - place[0], span++});
                end = wordEnd(text, Math.max(end, place[1]));
            }
            String word = text.substring(matcher.start(), end);
            Word added = new Word(word, protect && !inside.isEmpty() || TextTokenizer.hasMask(word));
            added.entities.addAll(inside);
            words.add(added);
            from = end;
        }
    }

    private static int wordEnd(String text, int from) {
        int end = from;
        while (end < text.length() && !Character.isWhitespace(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /** Numbers of the words that may be changed. */
    List<Integer> open() {
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            if (!words.get(i).kept) {
                open.add(i);
            }
        }
        return open;
    }

    /** The text, and into {@code places} by number of the span where the entities are now; null for one that is gone. */
    String join(int[][] places) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words.size(); i++) {
            Word word = words.get(i);
            for (int[] entity : word.entities) {
                int start = text.length() + entity[0];
                places[entity[2]] = new int[] {start, start + entity[1]};
            }
            text.append(word.text);
            if (word.spaced && i < words.size() - 1) {
                text.append(' ');
            }
        }
        return text.toString();
    }
}
