package io.textmill.augment;

/** Hangul syllables and the letters they are composed of (Unicode Standard, 3.12). */
final class Hangul {
    static final String LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
    static final String VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
    /** The first stands for no final consonant. */
    static final String TAILS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";

    private static final char FIRST = '가';
    private static final char LAST = '힣';

    private Hangul() {}

    static boolean isSyllable(char c) {
        return c >= FIRST && c <= LAST;
    }

    /** Lead, vowel and tail of a syllable, as letters; the tail is a space where there is none. */
    static char[] letters(char syllable) {
        int index = syllable - FIRST;
        return new char[] {
            LEADS.charAt(index / (VOWELS.length() * TAILS.length())),
            VOWELS.charAt(index / TAILS.length() % VOWELS.length()),
            TAILS.charAt(index % TAILS.length()),
        };
    }

    /** The syllable of a lead, a vowel and a tail; 0 where one of them can't stand in its place. */
    static char syllable(char[] letters) {
        int lead = LEADS.indexOf(letters[0]);
        int vowel = VOWELS.indexOf(letters[1]);
        int tail = TAILS.indexOf(letters[2]);
        if (lead < 0 || vowel < 0 || tail < 0) {
            return 0;
        }
        return (char) (FIRST + (lead * VOWELS.length() + vowel) * TAILS.length() + tail);
    }
}
