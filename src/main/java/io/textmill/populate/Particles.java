package io.textmill.populate;

import java.util.HashMap;
import java.util.Map;

/** Korean particles that agree with the sound a word ends in: 을/를, 이/가, 은/는, 과/와, 으로/로 …. */
final class Particles {
    private static final int NONE = 0;
    private static final int OTHER = 1;
    private static final int RIEUL = 2;

    /** The forms after a final consonant, by the form after a vowel: pairs may be written either way round. */
    private static final Map<String, String> AFTER_CONSONANT = new HashMap<>();

    static {
        String[][] pairs = {
            {"을", "를"}, {"이", "가"}, {"은", "는"}, {"과", "와"}, {"으로", "로"}, {"이랑", "랑"}, {"이나", "나"}, {"아", "야"},
            {"이에요", "예요"}, {"이라", "라"}, {"이라도", "라도"}, {"이고", "고"}, {"이었", "였"}, {"이든", "든"}, {"으로는", "로는"},
            {"으로도", "로도"}, {"이며", "며"}, {"이라고", "라고"}, {"이면", "면"}, {"이라면서", "라면서"}, {"이요", "요"},
        };
        for (String[] pair : pairs) {
            AFTER_CONSONANT.put(pair[1], pair[0]);
        }
    }

    /** Whether the reading of each digit ends in a consonant: 영 일 이 삼 사 오 육 칠 팔 구. */
    private static final int[] DIGITS = {OTHER, RIEUL, NONE, OTHER, NONE, NONE, OTHER, RIEUL, RIEUL, NONE};

    private Particles() {}

    /** Whether a text is a known pair, written either way round. */
    static boolean isPair(String text) {
        int slash = text.indexOf('/');
        return slash > 0 && (text.substring(0, slash).equals(AFTER_CONSONANT.get(text.substring(slash + 1)))
                || text.substring(slash + 1).equals(AFTER_CONSONANT.get(text.substring(0, slash))));
    }

    /** The form of the pair {@code a/b} that fits after {@code before}. */
    static String fitting(String pair, CharSequence before) {
        int slash = pair.indexOf('/');
        String first = pair.substring(0, slash);
        String second = pair.substring(slash + 1);
        boolean turned = second.equals(AFTER_CONSONANT.get(first));
        String closed = turned ? second : first;
        String open = turned ? first : second;
        int end = ending(before);
        boolean asVowel = end == NONE || end == RIEUL && closed.startsWith("으로");
        return asVowel ? open : closed;
    }

    /** NONE after a vowel, RIEUL after ㄹ, OTHER after another consonant; closing signs are passed over. */
    static int ending(CharSequence text) {
        int i = text.length() - 1;
        while (i >= 0 && !Character.isLetterOrDigit(text.charAt(i))) {
            i--;
        }
        if (i < 0) {
            return NONE;
        }
        char c = text.charAt(i);
        if (c >= 0xAC00 && c <= 0xD7A3) {
            int coda = (c - 0xAC00) % 28;
            return coda == 0 ? NONE : coda == 8 ? RIEUL : OTHER;
        }
        if (c >= '0' && c <= '9') {
            return digits(text, i);
        }
        return latin(text, i);
    }

    /** A number ends as it is read: 10 십, 100 백, 1000 천, 10000 만; a single 0 영. */
    private static int digits(CharSequence text, int i) {
        int digit = text.charAt(i) - '0';
        boolean ten = digit == 0 && i > 0 && Character.isDigit(text.charAt(i - 1));
        return ten ? OTHER : DIGITS[digit];
    }

    /**
     * Letters read one by one (USB, XL, M) end as the last letter's Korean name: 엘 알 are ㄹ, 엠 엔 other consonants.
     * Words in lower case end roughly as they are spelt: l as ㄹ, other consonants that Korean keeps as finals as such.
     */
    private static int latin(CharSequence text, int i) {
        char c = text.charAt(i);
        boolean spelt = Character.isUpperCase(c) || i == 0 || !Character.isLetter(text.charAt(i - 1));
        switch (Character.toLowerCase(c)) {
            case 'l':
                return RIEUL;
            case 'r':
                return spelt ? RIEUL : NONE;
            case 'm':
            case 'n':
                return OTHER;
            case 'b':
            case 'c':
            case 'k':
            case 'p':
            case 't':
                return spelt ? NONE : OTHER;
            case 'g':
                return !spelt && text.charAt(i - 1) == 'n' ? OTHER : NONE;
            default:
                return NONE;
        }
    }
}
