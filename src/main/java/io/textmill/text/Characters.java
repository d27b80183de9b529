package io.textmill.text;

/** What {@link Cleaner} needs to know of single code points. */
final class Characters {
    private static final int JOINER = 0x200D;
    private static final int BLACK_FLAG = 0x1F3F4;

    /** U+FF61–FF9F, the half-width forms of katakana, in their order there. */
    private static final String KATAKANA =
            "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u3099\u309A";

    /** U+FFE0–FFE6: signs of full width. */
    private static final String SIGNS = "¢£¬¯¦¥₩";

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
        return type == Character.CONTROL || type == Character.FORMAT || type == Character.SURROGATE
                || c == 0x034F || c == 0x115F || c == 0x1160
                || (c & 0xFFFE) == 0xFFFE || c >= 0xFDD0 && c <= 0xFDEF;
    }

    /** Whether an invisible character holds an emoji together: a joiner between two, or the tags of a flag. */
    static boolean isPartOfEmoji(int before, int c, int after) {
        return c == JOINER ? isEmoji(before) && isEmoji(after) : isTag(c) && (before == BLACK_FLAG || isTag(before));
    }

    private static boolean isEmoji(int c) {
        return c >= 0x1F000 && c <= 0x1FAFF || c == 0xFE0F || Character.getType(c) == Character.OTHER_SYMBOL;
    }

    private static boolean isTag(int c) {
        return c >= 0xE0020 && c <= 0xE007F;
    }
}
