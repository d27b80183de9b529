package io.textmill.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Normalises a text: Unicode form (UAX #15), width, control characters and white space, masks, length limits.
 * Immutable and free of Spark, so that serving cleans as training does. Cleaning a cleaned text changes nothing.
 */
public final class Cleaner {
    /** A cleaned text, and why it is set aside (null: it is not). */
    public static final class Result {
        private final String text;
        private final String reason;

        Result(String text, String reason) {
            this.text = text;
            this.reason = reason;
        }

        /** The cleaned text. */
        public String text() {
            return text;
        }

        /** too_short, too_long, or null. */
        public String reason() {
            return reason;
        }
    }

    /** NFKC would make conjoining jamo of these, which no longer show as ㅋㅋ or ㅠㅠ. */
    private static final Pattern JAMO = Pattern.compile("[\\u3131-\\u318E]+");

    private final Normalizer.Form form;
    private final boolean width;
    private final boolean lowercase;
    private final int minChars;
    private final int maxChars;
    private final Masks masks;

    /** Parameters as the operation text.clean declares them. */
    public Cleaner(JsonNode params) {
        String unicode = params.path("unicode").asText("NFC");
        form = unicode.equals("none") ? null : Normalizer.Form.valueOf(unicode);
        width = params.path("width").asBoolean(true);
        lowercase = params.path("lowercase").asBoolean(false);
        minChars = Math.max(1, params.path("min_chars").asInt(1));
        maxChars = params.path("max_chars").asInt(Integer.MAX_VALUE);
        List<String> names = new ArrayList<>();
        params.path("mask").forEach(name -> names.add(name.asText()));
        masks = new Masks(names);
    }

    /** The cleaned text, or what is left of it with the reason too_short or too_long. */
    public Result clean(String raw) {
        String text = masks.apply(isClean(raw) ? raw : normalizedAndSqueezed(raw));
        if (lowercase) {
            text = normalized(text.toLowerCase(Locale.ROOT));
        }
        int chars = text.codePointCount(0, text.length());
        return new Result(text, chars < minChars ? "too_short" : chars > maxChars ? "too_long" : null);
    }

    /** Plain characters and single spaces between them: what every step but the masks leaves as it is. */
    private static boolean isClean(String text) {
        boolean word = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isPlain(c) && (c != ' ' || !word)) {
                return false;
            }
            word = c != ' ';
        }
        return word;
    }

    private String normalizedAndSqueezed(String raw) {
        String normal = normalized(raw);
        String text = squeeze(normal);
        // What was removed may have stood between a letter and its accent.
        return text.equals(normal) ? text : normalized(text);
    }

    private String normalized(String text) {
        if (form == null || Normalizer.isNormalized(text, form)) {
            return text;
        }
        return form == Normalizer.Form.NFKC ? aroundJamo(text) : Normalizer.normalize(text, form);
    }

    private String aroundJamo(String text) {
        StringBuilder out = new StringBuilder(text.length());
        Matcher jamo = JAMO.matcher(text);
        int end = 0;
        while (jamo.find()) {
            out.append(Normalizer.normalize(text.substring(end, jamo.start()), form)).append(jamo.group());
            end = jamo.end();
        }
        return out.append(Normalizer.normalize(text.substring(end), form)).toString();
    }

    /** Width, control characters and white space in one pass. */
    private String squeeze(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean space = false;
        for (int i = 0; i < text.length(); ) {
            int raw = text.codePointAt(i);
            i += Character.charCount(raw);
            int c = width ? Characters.usualWidth(raw) : raw;
            if (!isPlain(c)) {
                if (Characters.isBlank(c)) {
                    space = out.length() > 0;
                    continue;
                }
                if (Characters.isInvisible(c) && (space || !carriesMeaning(out, c, text, i))) {
                    continue;
                }
            }
            if (space) {
                out.append(' ');
                space = false;
            }
            out.appendCodePoint(c);
        }
        return out.toString();
    }

    /** Visible ASCII and Hangul syllables: nearly all there is, and the same in every normal form. */
    private static boolean isPlain(int c) {
        return c > 0x20 && c < 0x7F || c >= 0xAC00 && c <= 0xD7A3;
    }

    private static boolean carriesMeaning(StringBuilder before, int c, String text, int next) {
        return before.length() > 0 && Characters.isTagOfFlag(before.codePointBefore(before.length()), c)
                || Joiners.stays(before, c, next < text.length() ? text.codePointAt(next) : 0);
    }
}
