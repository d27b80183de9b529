package io.textmill.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.ar.ArabicAnalyzer;
import org.apache.lucene.analysis.br.BrazilianAnalyzer;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.cn.smart.SmartChineseAnalyzer;
import org.apache.lucene.analysis.core.SimpleAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.cz.CzechAnalyzer;
import org.apache.lucene.analysis.da.DanishAnalyzer;
import org.apache.lucene.analysis.de.GermanAnalyzer;
import org.apache.lucene.analysis.el.GreekAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.es.SpanishAnalyzer;
import org.apache.lucene.analysis.fa.PersianAnalyzer;
import org.apache.lucene.analysis.fi.FinnishAnalyzer;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.hi.HindiAnalyzer;
import org.apache.lucene.analysis.hu.HungarianAnalyzer;
import org.apache.lucene.analysis.id.IndonesianAnalyzer;
import org.apache.lucene.analysis.it.ItalianAnalyzer;
import org.apache.lucene.analysis.ja.JapaneseAnalyzer;
import org.apache.lucene.analysis.ja.JapaneseTokenizer;
import org.apache.lucene.analysis.ko.KoreanPartOfSpeechStopFilter;
import org.apache.lucene.analysis.ko.KoreanTokenizer;
import org.apache.lucene.analysis.ko.KoreanTokenizer.DecompoundMode;
import org.apache.lucene.analysis.ko.POS;
import org.apache.lucene.analysis.ko.dict.UserDictionary;
import org.apache.lucene.analysis.nl.DutchAnalyzer;
import org.apache.lucene.analysis.no.NorwegianAnalyzer;
import org.apache.lucene.analysis.pt.PortugueseAnalyzer;
import org.apache.lucene.analysis.ro.RomanianAnalyzer;
import org.apache.lucene.analysis.ru.RussianAnalyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.analysis.sv.SwedishAnalyzer;
import org.apache.lucene.analysis.th.ThaiAnalyzer;
import org.apache.lucene.analysis.tr.TurkishAnalyzer;
import org.apache.lucene.util.AttributeFactory;

/** Lucene's analyzers by name. Free of Spark, so that serving analyses as training does. */
public final class Analyzers {
    private static final Map<String, Function<JsonNode, Analyzer>> BY_NAME = new TreeMap<>();

    static {
        BY_NAME.put("nori", Analyzers::nori);
        BY_NAME.put("whitespace", params -> new WhitespaceAnalyzer());
        BY_NAME.put("simple", params -> new SimpleAnalyzer());
        language("standard", StandardAnalyzer::new, EnglishAnalyzer.ENGLISH_STOP_WORDS_SET);
        language("english", EnglishAnalyzer::new, EnglishAnalyzer.getDefaultStopSet());
        language("cjk", CJKAnalyzer::new, CJKAnalyzer.getDefaultStopSet());
        language("arabic", ArabicAnalyzer::new, ArabicAnalyzer.getDefaultStopSet());
        language("brazilian", BrazilianAnalyzer::new, BrazilianAnalyzer.getDefaultStopSet());
        language("czech", CzechAnalyzer::new, CzechAnalyzer.getDefaultStopSet());
        language("danish", DanishAnalyzer::new, DanishAnalyzer.getDefaultStopSet());
        language("dutch", DutchAnalyzer::new, DutchAnalyzer.getDefaultStopSet());
        language("finnish", FinnishAnalyzer::new, FinnishAnalyzer.getDefaultStopSet());
        language("french", FrenchAnalyzer::new, FrenchAnalyzer.getDefaultStopSet());
        language("german", GermanAnalyzer::new, GermanAnalyzer.getDefaultStopSet());
        language("greek", GreekAnalyzer::new, GreekAnalyzer.getDefaultStopSet());
        language("hindi", HindiAnalyzer::new, HindiAnalyzer.getDefaultStopSet());
        language("hungarian", HungarianAnalyzer::new, HungarianAnalyzer.getDefaultStopSet());
        language("indonesian", IndonesianAnalyzer::new, IndonesianAnalyzer.getDefaultStopSet());
        language("italian", ItalianAnalyzer::new, ItalianAnalyzer.getDefaultStopSet());
        language("norwegian", NorwegianAnalyzer::new, NorwegianAnalyzer.getDefaultStopSet());
        language("persian", PersianAnalyzer::new, PersianAnalyzer.getDefaultStopSet());
        language("portuguese", PortugueseAnalyzer::new, PortugueseAnalyzer.getDefaultStopSet());
        language("romanian", RomanianAnalyzer::new, RomanianAnalyzer.getDefaultStopSet());
        language("russian", RussianAnalyzer::new, RussianAnalyzer.getDefaultStopSet());
        language("spanish", SpanishAnalyzer::new, SpanishAnalyzer.getDefaultStopSet());
        language("swedish", SwedishAnalyzer::new, SwedishAnalyzer.getDefaultStopSet());
        language("thai", ThaiAnalyzer::new, ThaiAnalyzer.getDefaultStopSet());
        language("turkish", TurkishAnalyzer::new, TurkishAnalyzer.getDefaultStopSet());
        language("smartcn", SmartChineseAnalyzer::new, SmartChineseAnalyzer.getDefaultStopSet());
        BY_NAME.put("kuromoji", params -> new JapaneseAnalyzer(
                null, JapaneseTokenizer.DEFAULT_MODE,
                params.path("stop_words").asBoolean(false) ? JapaneseAnalyzer.getDefaultStopSet() : CharArraySet.EMPTY_SET,
                JapaneseAnalyzer.getDefaultStopTags()));
    }

    /**
     * What nori leaves out: endings, particles, suffixes, the copula, spaces and signs, so that verbs stand as stems.
     * Adverbs (안, 못), interjections (안녕) and numbers stay, unlike in Lucene's default: they carry intents.
     */
    private static final Set<POS.Tag> STOP_TAGS = EnumSet.of(
            POS.Tag.E, POS.Tag.J, POS.Tag.SP, POS.Tag.SSC, POS.Tag.SSO, POS.Tag.SC, POS.Tag.SE, POS.Tag.SF, POS.Tag.SY,
            POS.Tag.XSA, POS.Tag.XSN, POS.Tag.XSV, POS.Tag.VCP, POS.Tag.UNA, POS.Tag.NA, POS.Tag.VSV);

    private Analyzers() {}

    /** The names that {@link #create} knows, sorted. */
    public static Set<String> names() {
        return new TreeSet<>(BY_NAME.keySet());
    }

    /** The analyzer that params.analyzer names, set up by the other parameters of text.tokenize. */
    public static Analyzer create(JsonNode params) {
        String name = params.path("analyzer").asText("standard");
        Function<JsonNode, Analyzer> make = BY_NAME.get(name);
        if (make == null) {
            throw new IllegalArgumentException("unknown analyzer " + name + "; there are: " + names());
        }
        return make.apply(params);
    }

    private static void language(String name, Function<CharArraySet, Analyzer> make, CharArraySet stopWords) {
        BY_NAME.put(name, params -> make.apply(
                params.path("stop_words").asBoolean(false) ? stopWords : CharArraySet.EMPTY_SET));
    }

    private static Analyzer nori(JsonNode params) {
        UserDictionary words = userDictionary(params.path("user_dict"));
        DecompoundMode mode = DecompoundMode.valueOf(params.path("decompound").asText("discard").toUpperCase());
        Set<POS.Tag> stopTags = stopTags(params.path("stop_tags"));
        return new Analyzer() {
            @Override
            protected TokenStreamComponents createComponents(String field) {
                Tokenizer tokenizer = new KoreanTokenizer(
                        AttributeFactory.DEFAULT_ATTRIBUTE_FACTORY, words, mode, false, true);
                TokenStream stems = new KoreanPartOfSpeechStopFilter(tokenizer, stopTags);
                return new TokenStreamComponents(tokenizer, new LowerCaseFilter(stems));
            }
        };
    }

    /** One line per word; a line of several words would be a compound's parts to Lucene, so those are left out. */
    private static UserDictionary userDictionary(JsonNode words) {
        Set<String> lines = new TreeSet<>();
        words.forEach(word -> {
            String text = word.asText().trim();
            if (!text.isEmpty() && text.chars().noneMatch(Character::isWhitespace) && !text.startsWith("#")) {
                lines.add(text);
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

    private static Set<POS.Tag> stopTags(JsonNode names) {
        if (!names.isArray()) {
            return STOP_TAGS;
        }
        Set<POS.Tag> tags = EnumSet.noneOf(POS.Tag.class);
        names.forEach(name -> tags.add(POS.Tag.valueOf(name.asText())));
        return tags;
    }
}
