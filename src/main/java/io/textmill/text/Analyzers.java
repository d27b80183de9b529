package io.textmill.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.CharArraySet;
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
import org.apache.lucene.analysis.nl.DutchAnalyzer;
import org.apache.lucene.analysis.no.NorwegianAnalyzer;
import org.apache.lucene.analysis.pt.PortugueseAnalyzer;
import org.apache.lucene.analysis.ro.RomanianAnalyzer;
import org.apache.lucene.analysis.ru.RussianAnalyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.analysis.sv.SwedishAnalyzer;
import org.apache.lucene.analysis.th.ThaiAnalyzer;
import org.apache.lucene.analysis.tr.TurkishAnalyzer;

/** Lucene's analyzers by name, and two of our own. Free of Spark, so that serving analyses as training does. */
public final class Analyzers {
    private static final Map<String, Function<JsonNode, Analyzer>> BY_NAME = new TreeMap<>();

    static {
        BY_NAME.put("nori", Nori::new);
        BY_NAME.put("whitespace", params -> new WhitespaceAnalyzer());
        BY_NAME.put("char", params -> new Units(false));
        BY_NAME.put("jamo", params -> new Units(true));
        BY_NAME.put("simple", params -> new SimpleAnalyzer());
        language("standard", StandardAnalyzer::new, () -> EnglishAnalyzer.ENGLISH_STOP_WORDS_SET);
        language("english", EnglishAnalyzer::new, EnglishAnalyzer::getDefaultStopSet);
        language("cjk", CJKAnalyzer::new, CJKAnalyzer::getDefaultStopSet);
        // Its stop words are the signs, which it would give as tokens.
        BY_NAME.put("smartcn", params -> new SmartChineseAnalyzer());
        language("arabic", ArabicAnalyzer::new, ArabicAnalyzer::getDefaultStopSet);
        language("brazilian", BrazilianAnalyzer::new, BrazilianAnalyzer::getDefaultStopSet);
        language("czech", CzechAnalyzer::new, CzechAnalyzer::getDefaultStopSet);
        language("danish", DanishAnalyzer::new, DanishAnalyzer::getDefaultStopSet);
        language("dutch", DutchAnalyzer::new, DutchAnalyzer::getDefaultStopSet);
        language("finnish", FinnishAnalyzer::new, FinnishAnalyzer::getDefaultStopSet);
        language("french", FrenchAnalyzer::new, FrenchAnalyzer::getDefaultStopSet);
        language("german", GermanAnalyzer::new, GermanAnalyzer::getDefaultStopSet);
        language("greek", GreekAnalyzer::new, GreekAnalyzer::getDefaultStopSet);
        language("hindi", HindiAnalyzer::new, HindiAnalyzer::getDefaultStopSet);
        language("hungarian", HungarianAnalyzer::new, HungarianAnalyzer::getDefaultStopSet);
        language("indonesian", IndonesianAnalyzer::new, IndonesianAnalyzer::getDefaultStopSet);
        language("italian", ItalianAnalyzer::new, ItalianAnalyzer::getDefaultStopSet);
        language("norwegian", NorwegianAnalyzer::new, NorwegianAnalyzer::getDefaultStopSet);
        language("persian", PersianAnalyzer::new, PersianAnalyzer::getDefaultStopSet);
        language("portuguese", PortugueseAnalyzer::new, PortugueseAnalyzer::getDefaultStopSet);
        language("romanian", RomanianAnalyzer::new, RomanianAnalyzer::getDefaultStopSet);
        language("russian", RussianAnalyzer::new, RussianAnalyzer::getDefaultStopSet);
        language("spanish", SpanishAnalyzer::new, SpanishAnalyzer::getDefaultStopSet);
        language("swedish", SwedishAnalyzer::new, SwedishAnalyzer::getDefaultStopSet);
        language("thai", ThaiAnalyzer::new, ThaiAnalyzer::getDefaultStopSet);
        language("turkish", TurkishAnalyzer::new, TurkishAnalyzer::getDefaultStopSet);
        BY_NAME.put("kuromoji", params -> new JapaneseAnalyzer(
                null, JapaneseTokenizer.DEFAULT_MODE, stopWords(params, JapaneseAnalyzer::getDefaultStopSet),
                JapaneseAnalyzer.getDefaultStopTags()));
    }

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

    private static void language(
            String name, Function<CharArraySet, Analyzer> make, Supplier<CharArraySet> stopWords) {
        BY_NAME.put(name, params -> make.apply(stopWords(params, stopWords)));
    }

    /** None unless asked for: "where" and "not" carry intents. */
    private static CharArraySet stopWords(JsonNode params, Supplier<CharArraySet> all) {
        return params.path("stop_words").asBoolean(false) ? all.get() : CharArraySet.EMPTY_SET;
    }
}
