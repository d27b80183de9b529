package io.textmill.augment;

import java.util.HashMap;
import java.util.Map;

/**
 * Hangul syllables (Unicode Standard, 3.12) as the keys that are pressed for them on the two-set keyboard (KS X 5002), and
 * back as an input method composes them.
 */
final class Hangul {
    private static final String LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
    private static final String VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
    /** The first stands for no final consonant. */
    private static final String TAILS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";

    private static final char FIRST = '가';
    private static final char LAST = '힣';
    private static final String[] TWO_KEYS = {
        "ㅗㅏㅘ", "ㅗㅐㅙ", "ㅗㅣㅚ", "ㅜㅓㅝ", "ㅜㅔㅞ", "ㅜㅣㅟ", "ㅡㅣㅢ", "ㄱㅅㄳ", "ㄴㅈㄵ", "ㄴㅎㄶ", "ㄹㄱㄺ", "ㄹㅁㄻ",
        "ㄹㅂㄼ", "ㄹㅅㄽ", "ㄹㅌㄾ", "ㄹㅍㄿ", "ㄹㅎㅀ", "ㅂㅅㅄ",
    };
    private static final Map<String, Character> JOINED = new HashMap<>();
    private static final Map<Character, String> PARTED = new HashMap<>();

    static {
        for (String letters : TWO_KEYS) {
            JOINED.put(letters.substring(0, 2), letters.charAt(2));
            PARTED.put(letters.charAt(2), letters.substring(0, 2));
        }
    }

    private Hangul() {}

    static boolean isSyllable(char c) {
        return c >= FIRST && c <= LAST;
    }

    static boolean isClosed(char syllable) {
        return (syllable - FIRST) % TAILS.length() > 0;
    }

    /** The keys of a syllable, two to five. */
    static String keys(char syllable) {
        int index = syllable - FIRST;
        String keys = LEADS.charAt(index / (VOWELS.length() * TAILS.length()))
                + parted(VOWELS.charAt(index / TAILS.length() % VOWELS.length()));
        return isClosed(syllable) ? keys + parted(TAILS.charAt(index % TAILS.length())) : keys;
    }

    private static String parted(char letter) {
        return PARTED.getOrDefault(letter, String.valueOf(letter));
    }

    /** What appears when the keys are pressed: syllables, and single letters where none comes about. */
    static String composed(CharSequence keys) {
        StringBuilder text = new StringBuilder();
        int i = 0;
        while (i < keys.length()) {
            int lead = isVowel(keys, i + 1) ? LEADS.indexOf(keys.charAt(i)) : -1;
            int vowelAt = lead < 0 ? i : i + 1;
            int tailAt = vowelAt + (joins(keys, vowelAt) ? 2 : 1);
            if (lead < 0) {
                text.append(isVowel(keys, i) ? letter(keys, i, tailAt) : keys.charAt(i));
                i = isVowel(keys, i) ? tailAt : i + 1;
                continue;
            }
            int end = tailAt + tailLength(keys, tailAt);
            int vowel = VOWELS.indexOf(letter(keys, vowelAt, tailAt));
            int tail = end == tailAt ? 0 : TAILS.indexOf(letter(keys, tailAt, end));
            text.append((char) (FIRST + (lead * VOWELS.length() + vowel) * TAILS.length() + tail));
            i = end;
        }
        return text.toString();
    }

    /** How many keys from {@code at} are a final consonant: one before a vowel is the next syllable's first. */
    private static int tailLength(CharSequence keys, int at) {
        if (at >= keys.length() || TAILS.indexOf(keys.charAt(at)) < 1 || isVowel(keys, at + 1)) {
            return 0;
        }
        return joins(keys, at) && !isVowel(keys, at + 2) ? 2 : 1;
    }

    private static boolean isVowel(CharSequence keys, int at) {
        return at < keys.length() && VOWELS.indexOf(keys.charAt(at)) >= 0;
    }

    private static boolean joins(CharSequence keys, int at) {
        return at + 1 < keys.length() && JOINED.containsKey(keys.subSequence(at, at + 2).toString());
    }

    private static char letter(CharSequence keys, int from, int end) {
        return end - from == 1 ? keys.charAt(from) : JOINED.get(keys.subSequence(from, end).toString());
    }
}
