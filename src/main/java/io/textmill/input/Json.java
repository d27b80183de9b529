package io.textmill.input;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.Serializable;

/** The three fields that matter of a JSON object, read without making the whole of it. */
final class Json implements Serializable {
    private static final JsonFactory FACTORY = new JsonFactory();

    private final String text;
    private final String label;
    private final String id;

    Json(String text, String label, String id) {
        this.text = text;
        this.label = label;
        this.id = id;
    }

    /**
     * The values of text, label and id; null for what is absent, null or not a single value. Returns null for what is
     * no object; raises IOException for what is no JSON.
     */
    String[] values(String line) throws IOException {
        try (JsonParser parser = FACTORY.createParser(line)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            String[] found = new String[3];
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.getCurrentName();
                JsonToken token = parser.nextToken();
                boolean hasValue = token.isScalarValue() && token != JsonToken.VALUE_NULL;
                String value = hasValue ? whole(parser.getText()) : null;
                keep(found, name, token == JsonToken.VALUE_NUMBER_FLOAT ? Values.ofJson(value) : value);
                parser.skipChildren();
            }
            return parser.nextToken() == null ? found : null;
        }
    }

    /** Without halves of surrogate pairs: escapes can name them ("\\ud83d"), no text can hold them. */
    static String whole(String text) {
        return text.codePoints().noneMatch(Json::isHalf)
                ? text
                : text.codePoints()
                        .filter(c -> !isHalf(c))
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
    }

    private static boolean isHalf(int c) {
        return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    }

    /** The same field may serve as two of them. */
    private void keep(String[] found, String name, String value) {
        if (name.equals(text)) {
            found[0] = value;
        }
        if (name.equals(label)) {
            found[1] = value;
        }
        if (name.equals(id)) {
            found[2] = value;
        }
    }
}
