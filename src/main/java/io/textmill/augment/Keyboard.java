package io.textmill.augment;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** Slips of the finger on the Korean two-set (KS X 5002) and the English (QWERTY) keyboard. */
final class Keyboard {
    private static final String[] QWERTY = {"qwertyuiop", "asdfghjkl", "zxcvbnm"};
    private static final String[] TWO_SET = {"ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ"};
    /** Letters with and without the shift key. */
    private static final String[] SHIFTED = {"ㅂㅃ", "ㅈㅉ", "ㄷㄸ", "ㄱㄲ", "ㅅㅆ", "ㅐㅒ", "ㅔㅖ"};

    /** What a finger may hit instead of a letter. */
    private static final Map<Character, String> SLIPS = new HashMap<>();

    static {
        neighbours(QWERTY);
        neighbours(TWO_SET);
        for (String pair : SHIFTED) {
            SLIPS.merge(pair.charAt(0), pair.substring(1), String::concat);
            SLIPS.merge(pair.charAt(1), pair.substring(0, 1), String::concat);
        }
    }

    private Keyboard() {}

    private static void neighbours(String[] rows) {
        int[][] around = {{0, -1}, {0, 1}, {-1, 0}, {-1, 1}, {1, -1}, {1, 0}};
        for (int row = 0; row < rows.length; row++) {
            for (int column = 0; column < rows[row].length(); column++) {
                for (int[] step : around) {
                    int r = row + step[0];
                    int c = column + step[1];
                    if (r >= 0 && r < rows.length && c >= 0 && c < rows[r].length()) {
                        SLIPS.merge(rows[row].charAt(column), rows[r].substring(c, c + 1), String::concat);
                    }
                }
            }
        }
    }

    /** Whether a slip can change a character. */
    static boolean isTyped(char c) {
        return Hangul.isSyllable(c) || SLIPS.containsKey(Character.toLowerCase(c));
    }

    /** What appears when a word is typed with a slip at each of the {@code slips}, positions of typed characters. */
    static String type(String word, BitSet slips, SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        StringBuilder keys = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (Hangul.isSyllable(c)) {
                keys.append(slips.get(i) ? slip(c, random) : Hangul.keys(c));
                continue;
            }
            text.append(Hangul.composed(keys)).append(slips.get(i) ? beside(c, random) : c);
            keys.setLength(0);
        }
        return text.append(Hangul.composed(keys)).toString();
    }

    /** The keys of a syllable, one of them wrong: another one, or a final consonant left out or pressed twice. */
    private static String slip(char syllable, SplittableRandom random) {
        String keys = Hangul.keys(syllable);
        int last = keys.length() - 1;
        if (Hangul.isClosed(syllable) && random.nextInt(3) == 0) {
            return random.nextBoolean() ? keys.substring(0, last) : keys + keys.charAt(last);
        }
        int at = random.nextInt(keys.length());
        return keys.substring(0, at) + beside(keys.charAt(at), random) + keys.substring(at + 1);
    }

    private static char beside(char letter, SplittableRandom random) {
        String slips = SLIPS.get(Character.toLowerCase(letter));
        char hit = slips.charAt(random.nextInt(slips.length()));
        return Character.isUpperCase(letter) ? Character.toUpperCase(hit) : hit;
    }
}
