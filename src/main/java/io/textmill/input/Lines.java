package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.io.Text;
import org.apache.spark.sql.Row;

/** Lines of JSON or plain text to records. */
final class Lines implements Serializable {
    private final String text;
    private final String label;
    private final String id;
    private final int maxBytes;
    private final boolean json;
    private transient CharsetDecoder decoder;
    private transient ObjectReader reader;

    Lines(JsonNode spec) {
        json = spec.path("format").asText().equals("jsonl");
        text = spec.path("text").asText();
        label = spec.path("label").asText(null);
        id = spec.path("id").asText(null);
        maxBytes = spec.path("max_record_bytes").asInt(1 << 20);
    }

    /** The record of a line; null for a blank one. */
    Row record(Text line, String position) {
        String decoded;
        try {
            decoded = decode(line);
        } catch (CharacterCodingException error) {
            return Record.bad(lossy(line), "invalid_utf8", position);
        }
        if (decoded.isBlank()) {
            return null;
        }
        if (line.getLength() > maxBytes) {
            return Record.bad(decoded, "record_too_long", position);
        }
        return json ? ofJson(decoded, position) : Record.good(null, decoded, null, position);
    }

    private Row ofJson(String line, String position) {
        JsonNode node;
        try {
            node = reader().readTree(line);
        } catch (IOException error) {
            return Record.bad(line, "broken_json", position);
        }
        if (!node.isObject()) {
            return Record.bad(line, "broken_json", position);
        }
        String found = value(node, text);
        if (found == null) {
            return Record.bad(line, "missing_text", position);
        }
        String named = label == null ? null : value(node, label);
        if (label != null && named == null) {
            return Record.bad(line, "missing_label", position);
        }
        return Record.good(id == null ? null : value(node, id), found, named, position);
    }

    private static String value(JsonNode node, String field) {
        JsonNode value = node.get(field);
        return value == null || !value.isValueNode() || value.isNull() ? null : value.asText();
    }

    private String decode(Text line) throws CharacterCodingException {
        if (decoder == null) {
            decoder = StandardCharsets.UTF_8.newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT);
        }
        String decoded = decoder.decode(ByteBuffer.wrap(line.getBytes(), 0, line.getLength())).toString();
        return decoded.startsWith("\uFEFF") ? decoded.substring(1) : decoded;
    }

    private static String lossy(Text line) {
        return new String(line.getBytes(), 0, Math.min(line.getLength(), 4096), StandardCharsets.UTF_8);
    }

    private ObjectReader reader() {
        if (reader == null) {
            reader = new ObjectMapper().reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        }
        return reader;
    }
}
