package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.sql.Row;

/** Records of a CSV file (RFC 4180, quoted line breaks included), read from its beginning to its end by one task. */
final class CsvFile implements Serializable {
    private final List<String> header = new ArrayList<>();
    private final int text;
    private final int label;
    private final int id;
    private final int maxChars;
    private final char delimiter;

    CsvFile(JsonNode spec) {
        spec.path("header").forEach(column -> header.add(column.asText()));
        text = header.indexOf(spec.path("text").asText());
        label = spec.path("label").isTextual() ? header.indexOf(spec.path("label").asText()) : -1;
        id = spec.path("id").isTextual() ? header.indexOf(spec.path("id").asText()) : -1;
        maxChars = spec.path("max_record_bytes").asInt(1 << 20);
        delimiter = spec.path("delimiter").asText(",").charAt(0);
    }

    /** The file's records after its header. */
    Iterator<Row> records(String file, Configuration conf) throws IOException {
        Path path = new Path(file);
        InputStream raw = path.getFileSystem(conf).open(path);
        CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(path);
        InputStream in = codec == null ? raw : codec.createInputStream(raw);
        CsvParser parser = new CsvParser(settings());
        parser.beginParsing(new InputStreamReader(in, StandardCharsets.UTF_8));
        parser.parseNext();
        return new Iterator<>() {
            private long number;
            private Row next = advance();

            private Row advance() {
                number++;
                String position = path.getName() + ":" + number;
                try {
                    String[] cells = parser.parseNext();
                    return cells == null ? null : record(cells, position);
                } catch (TextParsingException error) {
                    // The parser gives up on a cell beyond the limit and can't find the next record after it.
                    parser.stopParsing();
                    return Record.bad(String.valueOf(error.getParsedContent()), "record_too_long", position);
                }
            }

            @Override
            public boolean hasNext() {
                return next != null;
            }

            @Override
            public Row next() {
                Row current = next;
                next = advance();
                return current;
            }
        };
    }

    private CsvParserSettings settings() {
        CsvParserSettings settings = new CsvParserSettings();
        settings.getFormat().setDelimiter(delimiter);
        settings.getFormat().setQuoteEscape('"');
        settings.setLineSeparatorDetectionEnabled(true);
        settings.setIgnoreLeadingWhitespaces(false);
        settings.setIgnoreTrailingWhitespaces(false);
        settings.setMaxCharsPerColumn(1 << 26);
        settings.setMaxColumns(Math.max(512, header.size() * 2));
        settings.setNullValue(null);
        settings.setEmptyValue("");
        return settings;
    }

    private Row record(String[] cells, String position) {
        String whole = String.join(String.valueOf(delimiter), nonNull(cells));
        if (whole.indexOf('\uFFFD') >= 0) {
            return Record.bad(whole, "invalid_utf8", position);
        }
        if (whole.length() > maxChars) {
            return Record.bad(whole, "record_too_long", position);
        }
        if (cells.length != header.size()) {
            return Record.bad(whole, "broken_csv", position);
        }
        if (cells[text] == null) {
            return Record.bad(whole, "missing_text", position);
        }
        if (label >= 0 && cells[label] == null) {
            return Record.bad(whole, "missing_label", position);
        }
        return Record.good(id < 0 ? null : cells[id], cells[text], label < 0 ? null : cells[label], position);
    }

    private static String[] nonNull(String[] cells) {
        String[] given = new String[cells.length];
        for (int i = 0; i < cells.length; i++) {
            given[i] = cells[i] == null ? "" : cells[i];
        }
        return given;
    }
}
