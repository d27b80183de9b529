package io.textmill.augment;

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

    /** Whether {@link #slip} can change a character. */
    static boolean isTyped(char c) {
        return Hangul.isSyllable(c) || SLIPS.containsKey(Character.toLowerCase(c));
    }

    /** What may come out where {@code c} was meant: one key beside, the shift key, a final consonant left out. */
    static char slip(char c, SplittableRandom random) {
        if (Hangul.isSyllable(c)) {
            return slipInSyllable(c, random);
        }
        char hit = beside(Character.toLowerCase(c), random);
        return Character.isUpperCase(c) ? Character.toUpperCase(hit) : hit;
    }

    /** Tries letters until a syllable comes out: a vowel's neighbour may be a consonant, which has no place there. */
    private static char slipInSyllable(char c, SplittableRandom random) {
        for (int attempt = 0; attempt < 12; attempt++) {
            char[] letters = Hangul.letters(c);
            int place = random.nextInt(letters[2] == ' ' ? 2 : 3);
            letters[place] = place == 2 && random.nextBoolean() ? ' ' : beside(letters[place], random);
            char slipped = Hangul.syllable(letters);
            if (slipped != 0 && slipped != c) {
                return slipped;
            }
        }
        return c;
    }

    private static char beside(char letter, SplittableRandom random) {
        String slips = SLIPS.get(letter);
        return slips == null ? letter : slips.charAt(random.nextInt(slips.length()));
    }
}
