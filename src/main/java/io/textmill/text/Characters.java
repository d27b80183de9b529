package io.textmill.text;

/** What {@link Cleaner} needs to know of single code points. */
final class Characters {
    private static final int BLACK_FLAG = 0x1F3F4;

    /** U+FF61–FF9F, the half-width forms of katakana, in their order there. */
    private static final String KATAKANA =
            "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u3099\u309A";

    /** U+FFE0–FFE6: signs of full width. */
    private static final String SIGNS = "¢£¬¯¦¥₩";

    /**
     * Characters that only steer how others show, and fillers; as ranges, so that they are the same in every version of
     * Java and of Python. Signs that Unicode counts among them and that do show (U+0600 to 0605, 06DD) are none.
     */
    private static final int[] FORMATS = {
        0xAD, 0xAD, 0x034F, 0x034F, 0x061C, 0x061C, 0x115F, 0x1160, 0x180E, 0x180E, 0x200B, 0x200F,
        0x202A, 0x202E, 0x2060, 0x206F, 0xFEFF, 0xFEFF, 0xFFF9, 0xFFFB, 0x1BCA0, 0x1BCA3, 0x1D173, 0x1D17A,
        0xE0001, 0xE0001, 0xE0020, 0xE007F,
    };

    private Characters() {}

    /** Full-width ASCII and signs and half-width katakana to their usual form; Hangul jamo (ㅋ) are left as they are. */
    static int usualWidth(int c) {
        if (c >= 0xFF01 && c <= 0xFF5E) {
            return c - 0xFEE0;
        }
        if (c >= 0xFF61 && c <= 0xFF9F) {
            return KATAKANA.charAt(c - 0xFF61);
        }
        return c >= 0xFFE0 && c <= 0xFFE6 ? SIGNS.charAt(c - 0xFFE0) : c;
    }

    /** White space of any kind, the next-line control and the Hangul fillers that people type as blanks included. */
    static boolean isBlank(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85 || c == 0x3164 || c == 0xFFA0;
    }

    /**
     * Control and format characters, lone surrogates and noncharacters. Code points that this Java does not know stay:
     * they are emoji of a later Unicode, and what is kept must not depend on the Java that runs.
     */
    static boolean isInvisible(int c) {
        int type = Character.getType(c);
        return type == Character.CONTROL || type == Character.SURROGATE || isIn(c, FORMATS)
                || (c & 0xFFFE) == 0xFFFE || c >= 0xFDD0 && c <= 0xFDEF;
    }

    /** Whether {@code c} lies in one of the ranges: their first and last code points, in order. */
    static boolean isIn(int c, int[] ranges) {
        for (int i = 0; i < ranges.length && c >= ranges[i]; i += 2) {
            if (c <= ranges[i + 1]) {
                return true;
            }
        }
        return false;
    }

    /** Whether a tag stands in a flag (England's, Scotland's), where it is invisible and means something. */
    static boolean isTagOfFlag(int before, int c) {
        return isTag(c) && (before == BLACK_FLAG || isTag(before));
    }

    private static boolean isTag(int c) {
        return c >= 0xE0020 && c <= 0xE007F;
    }
}
