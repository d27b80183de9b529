package io.textmill.text;

import java.io.IOException;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/**
 * Characters (code points) as tokens, or for Hangul syllables the letters they are composed of (jamo; Unicode Standard,
 * 3.12). White space is one token, so that words stay apart.
 */
final class Units extends Analyzer {
    /** Stands for white space, as in SentencePiece. */
    private static final String SPACE = "\u2581";

    private static final int FIRST_SYLLABLE = 0xAC00;
    private static final int LAST_SYLLABLE = 0xD7A3;
    private static final int FIRST_LEAD = 0x1100;
    private static final int FIRST_VOWEL = 0x1161;
    private static final int BEFORE_TAIL = 0x11A7;
    private static final int VOWELS = 21;
    private static final int TAILS = 28;

    private final boolean jamo;

    Units(boolean jamo) {
        this.jamo = jamo;
    }

    @Override
    protected TokenStreamComponents createComponents(String field) {
        return new TokenStreamComponents(new UnitTokenizer(jamo));
    }

    private static final class UnitTokenizer extends Tokenizer {
        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final boolean jamo;
        /** What is left of the syllable that was read last: the first of its letters is the lowest 16 bits. */
        private long left;
        private int ahead;

        UnitTokenizer(boolean jamo) {
            this.jamo = jamo;
        }

        @Override
        public void reset() throws IOException {
            super.reset();
            left = 0;
            ahead = input.read();
        }

        @Override
        public boolean incrementToken() throws IOException {
            clearAttributes();
            if (left == 0) {
                int unit = next();
                if (unit < 0) {
                    return false;
                }
                left = jamo && unit >= FIRST_SYLLABLE && unit <= LAST_SYLLABLE ? letters(unit - FIRST_SYLLABLE) : 0;
                if (left == 0) {
                    term.append(unit == ' ' ? SPACE : Character.toString(unit));
                    return true;
                }
            }
            term.append((char) left);
            left >>>= Character.SIZE;
            return true;
        }

        /** The next code point, a space for any white space however long; -1 at the end. */
        private int next() throws IOException {
            int first = ahead;
            if (first < 0) {
                return -1;
            }
            ahead = input.read();
            if (Character.isWhitespace(first)) {
                while (ahead >= 0 && Character.isWhitespace(ahead)) {
                    ahead = input.read();
                }
                return ' ';
            }
            if (Character.isHighSurrogate((char) first) && ahead >= 0 && Character.isLowSurrogate((char) ahead)) {
                int whole = Character.toCodePoint((char) first, (char) ahead);
                ahead = input.read();
                return whole;
            }
            return first;
        }

        private static long letters(int syllable) {
            long lead = FIRST_LEAD + syllable / (VOWELS * TAILS);
            long vowel = FIRST_VOWEL + syllable / TAILS % VOWELS;
            int tail = syllable % TAILS;
            return lead | vowel << 16 | (tail == 0 ? 0L : (long) (BEFORE_TAIL + tail) << 32);
        }
    }
}
