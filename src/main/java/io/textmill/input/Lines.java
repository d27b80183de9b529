package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.util.LineReader;
import org.apache.spark.sql.Row;

/** Lines of JSON or plain text. A line's position is the byte of the unpacked UTF-8 text at which it begins. */
final class Lines implements Format {
    private static final int BUFFER = 1 << 16;
    /** Enough bytes for what is shown of a record that is too long. */
    private static final int SHOWN = 2048;

    private final boolean labelled;
    private final int maxBytes;
    private final String encoding;
    private final Json json;

    Lines(JsonNode spec) {
        String label = spec.path("label").asText(null);
        boolean isJson = spec.path("format").asText().equals("jsonl");
        labelled = label != null && isJson;
        maxBytes = spec.path("max_record_bytes").asInt(1 << 20);
        encoding = spec.path("encoding").asText(null);
        json = isJson ? new Json(spec.path("text").asText(), label, spec.path("id").asText(null)) : null;
    }

    @Override
    public boolean isCut() {
        // In some encodings half of a character may look like a line break.
        return encoding == null;
    }

    @Override
    public Rows rows(Slice slice, Configuration conf) {
        return new LinesOf(slice, conf);
    }

    private final class LinesOf extends Rows {
        private final Slice slice;
        private final Configuration conf;
        private final Text line = new Text();
        private LineReader lines;
        private long next;

        LinesOf(Slice slice, Configuration conf) {
            super(slice.file);
            this.slice = slice;
            this.conf = conf;
        }

        @Override
        void open() throws IOException {
            lines = new LineReader(Format.open(slice, encoding, conf), BUFFER);
            next = slice.start;
            if (next > 0) {
                // The slice before reads the line that crosses the border, and one that begins right on it.
                next += lines.readLine(line, 0, Integer.MAX_VALUE);
            }
        }

        @Override
        Row read() throws IOException {
            Row row = null;
            while (row == null && next <= slice.end) {
                // The rest of a line that is too long is passed over, not held.
                int bytes = lines.readLine(line, maxBytes + 1, Integer.MAX_VALUE);
                if (bytes == 0) {
                    return null;
                }
                row = record(line, slice.name + ":" + next);
                next += bytes;
            }
            return row;
        }

        @Override
        public void close() throws IOException {
            if (lines != null) {
                lines.close();
            }
        }
    }

    /** The record of a line; null for a blank one. */
    private Row record(Text line, String position) {
        if (line.getLength() > maxBytes) {
            return Record.bad(decode(line, SHOWN), "record_too_long", position);
        }
        String decoded = decode(line, line.getLength());
        if (decoded.indexOf('\uFFFD') >= 0 && !isUtf8(line)) {
            return Record.bad(decoded, Format.unreadable(encoding), position);
        }
        // A byte order mark stands at the beginning of a file, and where files were strung together.
        String text = decoded.startsWith("\uFEFF") ? decoded.substring(1) : decoded;
        if (text.isBlank()) {
            return null;
        }
        return json == null ? Record.of(null, text, null, false, () -> text, position) : ofJson(text, position);
    }

    private Row ofJson(String line, String position) {
        String[] values;
        try {
            values = json.values(line);
        } catch (IOException error) {
            values = null;
        }
        return values == null
                ? Record.bad(line, "broken_json", position)
                : Record.of(values[2], values[0], values[1], labelled, () -> line, position);
    }

    private static String decode(Text line, int most) {
        return new String(line.getBytes(), 0, Math.min(line.getLength(), most), StandardCharsets.UTF_8);
    }

    private static boolean isUtf8(Text line) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line.getBytes(), 0, line.getLength()));
            return true;
        } catch (CharacterCodingException error) {
            return false;
        }
    }
}
