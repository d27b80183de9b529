package io.textmill.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * Where the zero-width joiner and non-joiner carry meaning: inside emoji, as Unicode's own list of sequences says, and in
 * scripts whose letters join (Arabic and Indic ones among them). textmill/texts.py is the same in Python.
 */
final class Joiners {
    private static final int NON_JOINER = 0x200C;
    private static final int JOINER = 0x200D;
    private static final int VARIATION = 0xFE0F;

    /** Elements that Unicode joins, two neighbours of one sequence each. */
    private static final Set<Long> PAIRS = pairs();

    /**
     * First and last code points of blocks of joining scripts: Arabic, Syriac, N'Ko, Mandaic; Devanagari to Sinhala, Tibetan,
     * Myanmar, Khmer, Mongolian; Vedic and Devanagari extensions, Arabic's forms; Indic scripts beyond the first plane, Adlam.
     */
    private static final int[] SCRIPTS = {
        0x0600, 0x077F, 0x07C0, 0x07FF, 0x0840, 0x0DFF, 0x0F00, 0x109F, 0x1780, 0x18AF, 0x1A20, 0x1AAF, 0x1B00, 0x1C4F,
        0x1CD0, 0x1CFF, 0xA800, 0xA82F, 0xA840, 0xA8FF, 0xA930, 0xA9FF, 0xAA60, 0xAA7F, 0xABC0, 0xABFF, 0xFB50, 0xFDCF,
        0xFE70, 0xFEFC, 0x10A00, 0x10A5F, 0x10AC0, 0x10AFF, 0x10D00, 0x10D3F, 0x11000, 0x11DFF, 0x1E900, 0x1E95F,
    };

    private Joiners() {}

    /** Whether {@code c} stays between what was kept before it and the code point that follows (0: none). */
    static boolean stays(StringBuilder before, int c, int after) {
        if (c != JOINER && c != NON_JOINER || before.length() == 0) {
            return false;
        }
        int last = before.codePointBefore(before.length());
        if (isOfJoiningScript(last)) {
            // A joiner at the end of a word shapes its last letter; a non-joiner there shows nothing.
            return c == JOINER || isOfJoiningScript(after);
        }
        return c == JOINER && areJoined(element(before), after);
    }

    /** The last code point before variation selectors and skin tones. */
    private static int element(StringBuilder text) {
        int end = text.length();
        int c = text.codePointBefore(end);
        while (c == VARIATION || c >= 0x1F3FB && c <= 0x1F3FF) {
            end -= Character.charCount(c);
            if (end == 0) {
                return 0;
            }
            c = text.codePointBefore(end);
        }
        return c;
    }

    /** Those of the emoji blocks may be of a later Unicode than the list. */
    private static boolean areJoined(int before, int after) {
        return isInEmojiBlocks(before) && isInEmojiBlocks(after) || PAIRS.contains(pair(before, after));
    }

    private static boolean isInEmojiBlocks(int c) {
        return c >= 0x1F000 && c <= 0x1FAFF;
    }

    private static boolean isOfJoiningScript(int c) {
        return Characters.isIn(c, SCRIPTS);
    }

    private static long pair(int before, int after) {
        return (long) before << 32 | after;
    }

    private static Set<Long> pairs() {
        Set<Long> found = new HashSet<>();
        try (InputStream stream = Joiners.class.getResourceAsStream("emoji_sequences.txt");
                BufferedReader lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            lines.lines().filter(line -> !line.startsWith("#")).forEach(line -> {
                String[] elements = line.split(" ");
                for (int i = 1; i < elements.length; i++) {
                    found.add(pair(Integer.parseInt(elements[i - 1], 16), Integer.parseInt(elements[i], 16)));
                }
            });
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return found;
    }
}
