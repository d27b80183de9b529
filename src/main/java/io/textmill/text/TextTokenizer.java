package io.textmill.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/**
 * A text's tokens by one analysis chain. Thread-safe: Lucene keeps a token stream per thread.
 *
 * <p>Masks such as {@code <phone>} are one token whatever the analyzer. A text of which the analyzer leaves nothing
 * (signs, emoticons) gives its white-space separated words instead: a row without tokens would teach nothing.
 */
public final class TextTokenizer {
    private static final Pattern MASK = Pattern.compile("<(?:" + String.join("|", Masks.names()) + ")>");
    private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final String[] NONE = {};

    private final Analyzer analyzer;

    /** Parameters as the operation text.tokenize declares them; raises IllegalArgumentException for unknown names. */
    public TextTokenizer(JsonNode params) {
        analyzer = Analyzers.create(params);
    }

    /** Whether a mask is in a text. */
    public static boolean hasMask(String text) {
        return text.indexOf('<') >= 0 && MASK.matcher(text).find();
    }

    /** The tokens of a text, in its order; none of a blank one. */
    public String[] tokenize(String text) {
        List<String> tokens = new ArrayList<>();
        if (text.indexOf('<') < 0) {
            analyze(text, tokens);
        } else {
            aroundMasks(text, tokens);
        }
        return tokens.isEmpty() ? words(text) : tokens.toArray(NONE);
    }

    private static String[] words(String text) {
        String stripped = text.strip();
        return stripped.isEmpty() ? NONE : SPACE.split(stripped);
    }

    private void aroundMasks(String text, List<String> tokens) {
        Matcher mask = MASK.matcher(text);
        int end = 0;
        while (mask.find()) {
            analyze(text.substring(end, mask.start()), tokens);
            tokens.add(mask.group());
            end = mask.end();
        }
        analyze(text.substring(end), tokens);
    }

    private void analyze(String text, List<String> tokens) {
        if (text.isEmpty()) {
            return;
        }
        try (TokenStream stream = analyzer.tokenStream("text", text)) {
            CharTermAttribute term = stream.addAttribute(CharTermAttribute.class);
            stream.reset();
            while (stream.incrementToken()) {
                tokens.add(term.toString());
            }
            stream.end();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
