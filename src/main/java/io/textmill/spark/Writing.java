package io.textmill.spark;

import java.util.Arrays;
import java.util.Locale;

/** The script of a text: what most of its letters are of. It tells languages apart where their scripts differ. */
final class Writing {
    private static final Character.UnicodeScript[] SCRIPTS = Character.UnicodeScript.values();
    private static final ThreadLocal<int[]> LETTERS = ThreadLocal.withInitial(() -> new int[SCRIPTS.length]);

    private Writing() {}

    /** The name of its script as in Unicode, in small letters; {@code none} for a text without letters. */
    static String of(String text) {
        int[] letters = LETTERS.get();
        Arrays.fill(letters, 0);
        for (int i = 0; i < text.length(); ) {
            int sign = text.codePointAt(i);
            i += Character.charCount(sign);
            if (Character.isLetter(sign)) {
                letters[script(sign).ordinal()]++;
            }
        }
        int best = 0;
        for (int i = 1; i < letters.length; i++) {
            best = letters[i] > letters[best] ? i : best;
        }
        return letters[best] == 0 ? "none" : SCRIPTS[best].name().toLowerCase(Locale.ROOT);
    }

    /** Looked up only for signs that are neither syllables of Hangul nor ASCII: the table is searched by halves. */
    private static Character.UnicodeScript script(int sign) {
        if (sign >= 0xAC00 && sign <= 0xD7A3) {
            return Character.UnicodeScript.HANGUL;
        }
        return sign < 128 ? Character.UnicodeScript.LATIN : Character.UnicodeScript.of(sign);
    }
}
