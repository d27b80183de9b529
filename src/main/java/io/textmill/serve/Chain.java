package io.textmill.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.textmill.text.Cleaner;
import io.textmill.text.Encoder;
import io.textmill.text.TextTokenizer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The analysis chain of a published model as a program: one JSON object a line in, one a line out, until the input ends.
 *
 * <p>{@code {"texts": […]}} is cleaned, tokenized and encoded: {@code {"reasons": […], "ids": [[…], …]}}, a reason being
 * null or why a text would be set aside. Where the analyzer is not one of Java's (sentencepiece), the answer holds the
 * cleaned {@code texts} in place of ids, and {@code {"tokens": [[…], …]}} is encoded by itself.
 */
public final class Chain {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Cleaner cleaner;
    private final TextTokenizer tokenizer;
    private final Encoder encoder;

    Chain(JsonNode params, String vocabulary) {
        JsonNode tokenize = params.path("tokenize");
        JsonNode encode = params.path("encode");
        cleaner = new Cleaner(params.path("clean"));
        tokenizer = tokenize.path("analyzer").asText().equals("sentencepiece") ? null : new TextTokenizer(tokenize);
        boolean fromEnd = encode.path("truncate").asText("end").equals("start");
        encoder = new Encoder(
                vocabulary, encode.path("length").asInt(), fromEnd, encode.path("oov_buckets").asInt(0));
    }

    /** {@code Chain FOLDER}: the folder of a published version, with chain.json and vocabulary.tsv. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        String vocabulary = Files.readString(folder.resolve("vocabulary.tsv"));
        Chain chain = new Chain(JSON.readTree(Files.readString(folder.resolve("chain.json"))), vocabulary);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print("{\"ready\": true}\n");
        out.flush();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.print(JSON.writeValueAsString(chain.answer(JSON.readTree(line))));
            out.print('\n');
            out.flush();
        }
    }

    private ObjectNode answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        if (request.has("tokens")) {
            ArrayNode ids = answer.putArray("ids");
            request.path("tokens").forEach(tokens -> encode(strings(tokens), ids));
            return answer;
        }
        ArrayNode reasons = answer.putArray("reasons");
        ArrayNode results = answer.putArray(tokenizer == null ? "texts" : "ids");
        for (JsonNode text : request.path("texts")) {
            Cleaner.Result cleaned = cleaner.clean(text.asText());
            reasons.add(cleaned.reason());
            if (tokenizer == null) {
                results.add(cleaned.text());
            } else {
                // What is set aside is not analysed: a text may be as long as a request.
                encode(cleaned.reason() == null ? tokenizer.tokenize(cleaned.text()) : new String[0], results);
            }
        }
        return answer;
    }

    private void encode(String[] tokens, ArrayNode results) {
        ArrayNode row = results.addArray();
        for (Integer id : (Integer[]) encoder.encode(i -> tokens[i], tokens.length)[0]) {
            row.add(id);
        }
    }

    private static String[] strings(JsonNode array) {
        String[] found = new String[array.size()];
        for (int i = 0; i < found.length; i++) {
            found[i] = array.get(i).asText();
        }
        return found;
    }
}
