package io.textmill.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.ko.KoreanPartOfSpeechStopFilter;
import org.apache.lucene.analysis.ko.KoreanTokenizer;
import org.apache.lucene.analysis.ko.KoreanTokenizer.DecompoundMode;
import org.apache.lucene.analysis.ko.POS;
import org.apache.lucene.analysis.ko.dict.UserDictionary;
import org.apache.lucene.util.AttributeFactory;

/** Lucene's Korean analysis, set up so that verbs stand as stems and what carries an intent stays. */
final class Nori extends Analyzer {
    /**
     * What is left out: endings, particles, suffixes, the copula, spaces and signs. Adverbs (안, 못), interjections
     * (안녕), determiners and prefixes stay, unlike in Lucene's default: they carry intents.
     */
    private static final Set<POS.Tag> STOP_TAGS = EnumSet.of(
            POS.Tag.E, POS.Tag.J, POS.Tag.SP, POS.Tag.SSC, POS.Tag.SSO, POS.Tag.SC, POS.Tag.SE, POS.Tag.SF, POS.Tag.SY,
            POS.Tag.XSA, POS.Tag.XSN, POS.Tag.XSV, POS.Tag.VCP, POS.Tag.UNA, POS.Tag.NA, POS.Tag.VSV);

    private final UserDictionary words;
    private final DecompoundMode mode;
    private final Set<POS.Tag> stopTags;

    Nori(JsonNode params) {
        words = userDictionary(params.path("user_dict"));
        mode = DecompoundMode.valueOf(params.path("decompound").asText("discard").toUpperCase(Locale.ROOT));
        stopTags = stopTags(params.path("stop_tags"));
    }

    @Override
    protected TokenStreamComponents createComponents(String field) {
        Tokenizer tokenizer =
                new KoreanTokenizer(AttributeFactory.DEFAULT_ATTRIBUTE_FACTORY, words, mode, false, true);
        TokenStream stems = new KoreanPartOfSpeechStopFilter(tokenizer, stopTags);
        return new TokenStreamComponents(tokenizer, new LowerCaseFilter(stems));
    }

    /** A dictionary of the words that Lucene can hold whole, as they are written and in lower case. */
    private static UserDictionary userDictionary(JsonNode words) {
        Set<String> lines = new TreeSet<>();
        words.forEach(word -> {
            String text = Normalizer.normalize(word.asText().strip(), Normalizer.Form.NFC);
            if (fits(text)) {
                lines.add(text);
                lines.add(text.toLowerCase(Locale.ROOT));
            }
        });
        if (lines.isEmpty()) {
            return null;
        }
        try {
            return UserDictionary.open(new StringReader(String.join("\n", lines)));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Words after a space would be a compound's parts to Lucene, and it takes what follows # for a comment. */
    private static boolean fits(String text) {
        return !text.isEmpty() && text.indexOf('#') < 0
                && text.chars().noneMatch(c -> Character.isWhitespace(c) || Character.isSpaceChar(c));
    }

    private static Set<POS.Tag> stopTags(JsonNode names) {
        if (!names.isArray()) {
            return STOP_TAGS;
        }
        Set<POS.Tag> tags = EnumSet.noneOf(POS.Tag.class);
        names.forEach(name -> tags.add(tag(name.asText())));
        return tags;
    }

    /** Also by the finer names of the Sejong tag set: JKS is one of Lucene's J, EF one of its E. */
    private static POS.Tag tag(String name) {
        try {
            return POS.resolveTag(name);
        } catch (IllegalArgumentException unknown) {
            String known = Arrays.toString(POS.Tag.values());
            throw new IllegalArgumentException("unknown part-of-speech tag " + name + "; there are: " + known, unknown);
        }
    }
}
