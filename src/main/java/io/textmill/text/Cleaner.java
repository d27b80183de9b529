package io.textmill.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Normalises a text: Unicode form (UAX #15), width, control characters and white space, masks, length limits.
 * Immutable and free of Spark, so that serving cleans as training does.
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
        minChars = params.path("min_chars").asInt(1);
        maxChars = params.path("max_chars").asInt(Integer.MAX_VALUE);
        List<String> names = new ArrayList<>();
        params.path("mask").forEach(name -> names.add(name.asText()));
        masks = new Masks(names);
    }

    /** The cleaned text, or what is left of it with the reason too_short or too_long. */
    public Result clean(String raw) {
        String text = form == null || Normalizer.isNormalized(raw, form) ? raw : Normalizer.normalize(raw, form);
        text = masks.apply(squeeze(text));
        if (lowercase) {
            text = text.toLowerCase(Locale.ROOT);
        }
        int chars = text.codePointCount(0, text.length());
        return new Result(text, chars < minChars ? "too_short" : chars > maxChars ? "too_long" : null);
    }

    /** Width, control characters and white space in one pass. */
    private String squeeze(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean space = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (width) {
                c = usualWidth(c);
            }
            if (Character.isWhitespace(c) || Character.isSpaceChar(c)) {
                space = out.length() > 0;
            } else if (!isInvisible(c)) {
                if (space) {
                    out.append(' ');
                    space = false;
                }
                out.appendCodePoint(c);
            }
        }
        return out.toString();
    }

    /** Full-width ASCII (U+FF01–FF5E) and the ideographic space; Hangul jamo such as ㅋ keep their form. */
    private static int usualWidth(int c) {
        return c >= 0xFF01 && c <= 0xFF5E ? c - 0xFEE0 : c == 0x3000 ? ' ' : c;
    }

    /** Control and format characters; the joiner and the variation selectors that hold an emoji together stay. */
    private static boolean isInvisible(int c) {
        if (c == 0x200D) {
            return false;
        }
        int type = Character.getType(c);
        return type == Character.CONTROL || type == Character.FORMAT || type == Character.UNASSIGNED
                || type == Character.SURROGATE || type == Character.PRIVATE_USE;
    }
}
