package io.textmill.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Replaces personal and one-off numbers by tokens such as {@code <phone>}. */
final class Masks {
    private static final Map<String, Pattern> PATTERNS = new LinkedHashMap<>();

    // The order matters: a card number holds what looks like a phone number, both hold what looks like an order number.
    static {
        PATTERNS.put("url", Pattern.compile("(?:https?://|www\\.)[^\\s<>\"']+"));
        PATTERNS.put("email", Pattern.compile("[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)+"));
        PATTERNS.put("card", Pattern.compile("(?<![0-9-])[0-9]{4}([- ]?)[0-9]{4}\\1[0-9]{4}\\1[0-9]{4}(?![0-9-])"));
        PATTERNS.put("phone", Pattern.compile(
                "(?<![0-9A-Za-z-])(?:\\+[0-9]{1,3}[-. ]?(?:\\(0\\)|0)?[0-9]{1,3}|\\(?0[0-9]{1,3}\\)?)[-. ]?[0-9]{3,4}[-. ]?[0-9]{4}(?![0-9-])"
                        + "|(?<![0-9-])1[568][0-9]{2}[- ][0-9]{4}(?![0-9-])"));
        PATTERNS.put("order_no", Pattern.compile(
                "(?<![0-9A-Za-z])(?:(?:[A-Za-z]{2,5}-?)?(?:20[0-9]{6})-?[A-Za-z0-9]*[0-9][A-Za-z0-9]{3,}"
                        + "|[A-Za-z]{2,5}-?[0-9]{6,}|[0-9]{10,})(?![0-9A-Za-z])"));
    }

    private static final Pattern DIGIT_OR_SIGN = Pattern.compile("[0-9@]|www\\.|://");

    private final List<Pattern> patterns = new ArrayList<>();
    private final List<String> tokens = new ArrayList<>();

    Masks(Iterable<String> names) {
        List<String> wanted = new ArrayList<>();
        names.forEach(wanted::add);
        for (String name : wanted) {
            if (!PATTERNS.containsKey(name)) {
                throw new IllegalArgumentException("unknown mask " + name + "; there are: " + PATTERNS.keySet());
            }
        }
        PATTERNS.forEach((name, pattern) -> {
            if (wanted.contains(name)) {
                patterns.add(pattern);
                tokens.add(Matcher.quoteReplacement("<" + name + ">"));
            }
        });
    }

    String apply(String text) {
        if (patterns.isEmpty() || !DIGIT_OR_SIGN.matcher(text).find()) {
            return text;
        }
        String masked = text;
        for (int i = 0; i < patterns.size(); i++) {
            masked = patterns.get(i).matcher(masked).replaceAll(tokens.get(i));
        }
        return masked;
    }
}
