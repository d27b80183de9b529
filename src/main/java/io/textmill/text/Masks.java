package io.textmill.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Replaces personal and one-off numbers by tokens such as {@code <phone>}.
 *
 * <p>Texts come from anyone: every pattern starts at the beginning of a run only and repeats possessively or a bounded
 * number of times, so that a megabyte of letters takes milliseconds and no stack.
 */
final class Masks {
    private static final String SEP = "[-.\\u2010-\\u2015\\u2212 ]?";
    private static final String NUMBER_STARTS = "(?<![0-9A-Za-z+])(?<![0-9][-.])";
    private static final String NUMBER_ENDS = "(?![0-9])(?!-[0-9])";

    private static final String[] PHONES = {
        // Korea: 02-123-4567, (031) 123 4567, 010.1234.5678, 01012345678, 0505-123-4567
        "\\(?0(?:50[0-9]|[0-9]{1,2})\\)?" + SEP + "[0-9]{3,4}" + SEP + "[0-9]{4}",
        "82" + SEP + "0?1[016789]" + SEP + "[0-9]{3,4}" + SEP + "[0-9]{4}",
        // Its nation-wide numbers: 1588-1234; without a sign between only those in use
        "1[568][0-9]{2}-[0-9]{4}",
        "1(?:5(?:22|33|44|66|77|88|99)|6(?:00|11|22|33|44|55|6[168]|70|77|88|99)|8(?:00|11|33|55|66|77|88|99))"
                + SEP + "[0-9]{4}",
        // Anywhere: + and 9 to 15 digits (E.164) in groups
        "\\+(?=(?:[-.() ]{0,2}[0-9]){9,15}(?![0-9]))[0-9]{1,3}(?:" + SEP + "\\(?[0-9]{1,5}\\)?){1,6}",
        // North America: 415-555-2671, (415) 555-2671, 1-800-555-1234
        "(?:1[-. ])?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[-.])[0-9]{3}[-.][0-9]{4}",
    };
    private static final String[] ORDERS = {
        // 20240101-1234567, but not a period of two dates
        "20[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])[-_](?!20[0-9]{6}(?![0-9A-Za-z]))[A-Za-z0-9]{4,}+",
        "20[0-9]{6}(?=[A-Za-z]*+[0-9])[A-Za-z0-9]{4,}+",
        // ORD-A1B2, order_2024-00123
        "(?i:ord|order|inv)[-_#](?=[A-Za-z-]*+[0-9])[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+",
        "[A-Za-z]{2,6}[-_#]?(?=(?:-?[0-9]){6})[0-9]++(?:-[0-9]++)*+",
        "[0-9]{10,}+",
    };

    /** A pattern, and the fewest digits or the sign without which it can't match: hardly any text has them. */
    private static final class Mask {
        final Pattern pattern;
        final int digits;
        final char sign;

        Mask(int digits, char sign, String pattern) {
            this.pattern = Pattern.compile(pattern);
            this.digits = digits;
            this.sign = sign;
        }

        boolean mayMatch(String text, int digitsInText) {
            return digitsInText >= digits && (sign == 0 || text.indexOf(sign) >= 0);
        }
    }

    private static final Map<String, Mask> MASKS = new LinkedHashMap<>();

    // The order matters: a card number holds what looks like a phone number, both hold what looks like an order number.
    static {
        MASKS.put("url", new Mask(0, '.', "(?<![0-9A-Za-z])(?i:https?://|www\\.)"
                // Without letters outside ASCII: Korean particles follow an address without a space.
                + "[A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=%-]+(?<![.,!?;:'\\])])"));
        MASKS.put("email", new Mask(0, '@',
                "(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\\.[A-Za-z0-9-]++)++"));
        MASKS.put("card", new Mask(16, '\0',
                NUMBER_STARTS + "[0-9]{4}([-. ]?)[0-9]{4}\\1[0-9]{4}\\1[0-9]{4}" + NUMBER_ENDS));
        MASKS.put("phone", new Mask(8, '\0', NUMBER_STARTS + "(?:" + String.join("|", PHONES) + ")" + NUMBER_ENDS));
        MASKS.put("order_no", new Mask(1, '\0', "(?<![0-9A-Za-z])(?:" + String.join("|", ORDERS) + ")(?![0-9A-Za-z])"));
        MASKS.put("number", new Mask(1, '\0', "(?<![0-9A-Za-z])[0-9]++(?:[.,][0-9]++)*+"));
    }

    private final List<Mask> wanted = new ArrayList<>();
    private final List<String> tokens = new ArrayList<>();

    Masks(List<String> names) {
        for (String name : names) {
            if (!MASKS.containsKey(name)) {
                throw new IllegalArgumentException("unknown mask " + name + "; there are: " + names());
            }
        }
        MASKS.forEach((name, mask) -> {
            if (names.contains(name)) {
                wanted.add(mask);
                tokens.add(Matcher.quoteReplacement("<" + name + ">"));
            }
        });
    }

    /** The names of all masks, in the order in which they are tried. */
    static Set<String> names() {
        return MASKS.keySet();
    }

    String apply(String text) {
        if (wanted.isEmpty()) {
            return text;
        }
        int digits = digits(text);
        String masked = text;
        for (int i = 0; i < tokens.size(); i++) {
            if (wanted.get(i).mayMatch(text, digits)) {
                masked = wanted.get(i).pattern.matcher(masked).replaceAll(tokens.get(i));
            }
        }
        return masked;
    }

    private static int digits(String text) {
        int digits = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= '0' && c <= '9') {
                digits++;
            }
        }
        return digits;
    }
}
