package io.textmill.populate;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** Korean particles that agree with the sound a word ends in: 을/를, 이/가, 은/는, 과/와, 으로/로 …. */
public final class Particles {
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

    /** Signs that are read out, all ending in a vowel: 퍼센트, 플러스, 달러, 도. */
    private static final String READ_SIGNS = "%+$℃";

    /** Names of letters that end in a consonant: 엘 엠 엔 알. */
    private static final Map<Character, Integer> NAMES = Map.of('l', RIEUL, 'm', OTHER, 'n', OTHER, 'r', RIEUL);

    private static final Map<String, Integer> UNITS = Map.of(
            "g", OTHER, "kg", OTHER, "mg", OTHER, "m", NONE, "cm", NONE, "mm", NONE, "km", NONE, "l", NONE, "L", NONE,
            "ml", NONE);

    private static final Pattern SILENT_E = Pattern.compile("[^aeiou]le$|[aeiouy][lmn]e$");

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

    /** Whether a text is one of two forms that agree with what stands before. */
    public static boolean isForm(String text) {
        return AFTER_CONSONANT.containsKey(text) || AFTER_CONSONANT.containsValue(text);
    }

    /** The particle in its form after {@code before}; unchanged where it has but one. */
    public static String agreeing(String particle, CharSequence before) {
        for (Map.Entry<String, String> pair : AFTER_CONSONANT.entrySet()) {
            if (pair.getKey().equals(particle) || pair.getValue().equals(particle)) {
                return fitting(pair.getValue() + "/" + pair.getKey(), before);
            }
        }
        return particle;
    }

    /** NONE after a vowel, RIEUL after ㄹ, OTHER after another consonant; closing signs are passed over. */
    static int ending(CharSequence text) {
        int i = text.length() - 1;
        while (i >= 0 && !Character.isLetterOrDigit(text.charAt(i))) {
            if (READ_SIGNS.indexOf(text.charAt(i)) >= 0) {
                return NONE;
            }
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
        return isDigit(c) ? digits(text, i) : isLatin(c) ? latin(text, i) : NONE;
    }

    /** A number ends as its last place is read: 10 십, 100 백, 1,000 천, 10000 만, 10^8 억, 10^12 조; a single 0 영. */
    private static int digits(CharSequence text, int i) {
        int zeros = 0;
        while (i > 0 && text.charAt(i) == '0' && isDigit(beforeComma(text, i))) {
            zeros++;
            i -= text.charAt(i - 1) == ',' ? 2 : 1;
        }
        return zeros == 0 ? DIGITS[text.charAt(i) - '0'] : zeros >= 12 && zeros < 16 ? NONE : OTHER;
    }

    /** The character before position i, or the one before it where it is the comma of thousands. */
    private static char beforeComma(CharSequence text, int i) {
        char c = text.charAt(i - 1);
        return c == ',' && i > 1 ? text.charAt(i - 2) : c;
    }

    /**
     * Letters read one by one (USB, XL, M) end as the last letter's Korean name: 엘 알 are ㄹ, 엠 엔 other consonants,
     * the others vowels. Units after a number are read in full: 5kg 킬로그램, 100m 미터.
     */
    private static int latin(CharSequence text, int i) {
        int start = i;
        while (start > 0 && isLatin(text.charAt(start - 1))) {
            start--;
        }
        String word = text.subSequence(start, i + 1).toString();
        if (start > 0 && isDigit(text.charAt(start - 1)) && UNITS.containsKey(word)) {
            return UNITS.get(word);
        }
        char last = text.charAt(i);
        boolean spelt = Character.isUpperCase(last) || word.length() == 1;
        return spelt ? NAMES.getOrDefault(Character.toLowerCase(last), NONE) : word(word.toLowerCase(Locale.ROOT));
    }

    /**
     * A rough reading of an English word: l is ㄹ, m, n and ng are finals, and so are b, c, k, p, t right after a vowel
     * (book 북, but disk 디스크), also before a silent e in the case of l, m, n (apple 애플, game 게임). All else, d and g
     * among it, is read with a vowel: card 카드, blog 블로그.
     */
    private static int word(String word) {
        String stem = SILENT_E.matcher(word).find() ? word.substring(0, word.length() - 1) : word;
        char last = stem.charAt(stem.length() - 1);
        char before = stem.length() > 1 ? stem.charAt(stem.length() - 2) : ' ';
        switch (last) {
            case 'l':
                return RIEUL;
            case 'm':
            case 'n':
                return OTHER;
            case 'g':
                return before == 'n' ? OTHER : NONE;
            case 'b':
            case 'c':
            case 'k':
            case 'p':
            case 't':
                return "aeiouy".indexOf(before) >= 0 || stem.endsWith("ck") || stem.endsWith("pp") ? OTHER : NONE;
            default:
                return NONE;
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isLatin(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }
}
