package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;

/**
 * Records of a CSV file (RFC 4180, quoted line breaks included), read from its beginning to its end by one task. Each
 * file's own header tells where its columns are. A record's position is its number, from 1.
 */
final class CsvFile implements Format {
    /** Longer records end the reading: they are a quote that is not closed. Those below are set aside one by one. */
    private static final int LONGEST = 1 << 26;
    private static final int MOST_COLUMNS = 1 << 16;

    private final String text;
    private final String label;
    private final String id;
    private final int maxBytes;
    private final char delimiter;

    CsvFile(JsonNode spec) {
        text = spec.path("text").asText();
        label = spec.path("label").asText(null);
        id = spec.path("id").asText(null);
        maxBytes = spec.path("max_record_bytes").asInt(1 << 20);
        delimiter = spec.path("delimiter").asText(",").charAt(0);
    }

    @Override
    public boolean isCut() {
        return false;
    }

    @Override
    public Rows rows(Slice slice, Configuration conf) {
        return new RecordsOf(slice, conf);
    }

    private final class RecordsOf extends Rows {
        private final Slice slice;
        private final Configuration conf;
        private final CsvParser parser = new CsvParser(settings());
        private UnixText input;
        private Columns columns;
        private long number;

        RecordsOf(Slice slice, Configuration conf) {
            super(slice.file);
            this.slice = slice;
            this.conf = conf;
        }

        @Override
        void open() throws IOException {
            input = new UnixText(new InputStreamReader(Format.open(slice, conf), StandardCharsets.UTF_8), LONGEST);
            String[] header = cells(() -> {
                parser.beginParsing(input);
                return parser.parseNext();
            });
            columns = header == null ? null : new Columns(header);
        }

        @Override
        Row read() throws IOException {
            number++;
            String[] cells = columns == null ? null : cells(parser::parseNext);
            return cells == null ? null : record(columns, cells, slice.name + ":" + number);
        }

        private String[] cells(Supplier<String[]> read) throws IOException {
            try {
                input.nextRecord();
                return read.get();
            } catch (TextParsingException error) {
                // The parser can't find the next record after this, and to leave the rest out would go unseen.
                throw new IOException("record " + number + ": " + reason(error), input.problem());
            }
        }

        private String reason(TextParsingException error) {
            if (input.problem() != null) {
                return input.problem().getMessage();
            }
            boolean tooMany = error.getCause() instanceof ArrayIndexOutOfBoundsException;
            return tooMany ? "more than " + MOST_COLUMNS + " columns" : String.valueOf(error.getCause());
        }

        @Override
        public void close() throws IOException {
            parser.stopParsing();
            if (input != null) {
                input.close();
            }
        }
    }

    /** Where the wanted columns are in one file. */
    private final class Columns {
        final int count;
        final int ofText;
        final int ofLabel;
        final int ofId;

        Columns(String[] header) throws IOException {
            List<String> names = Arrays.asList(header);
            count = header.length;
            ofText = find(names, text);
            ofLabel = label == null ? -1 : find(names, label);
            ofId = id == null ? -1 : find(names, id);
        }

        private int find(List<String> names, String name) throws IOException {
            if (!names.contains(name)) {
                throw new IOException("its first line has no column '" + name + "'; there are: " + names);
            }
            return names.indexOf(name);
        }
    }

    private Row record(Columns columns, String[] cells, String position) {
        String reason = reason(columns, cells);
        if (reason != null) {
            return Record.bad(joined(cells), reason, position);
        }
        String named = columns.ofLabel < 0 ? null : cells[columns.ofLabel];
        String identity = columns.ofId < 0 ? null : cells[columns.ofId];
        return Record.of(identity, cells[columns.ofText], named, label != null, () -> joined(cells), position);
    }

    private String reason(Columns columns, String[] cells) {
        int chars = cells.length - 1;
        for (String cell : cells) {
            if (cell != null && cell.indexOf('\uFFFD') >= 0) {
                return "invalid_utf8";
            }
            chars += cell == null ? 0 : cell.length();
        }
        boolean maybe = chars > maxBytes / 3;
        if (maybe && (chars > maxBytes || joined(cells).getBytes(StandardCharsets.UTF_8).length > maxBytes)) {
            return "record_too_long";
        }
        return cells.length == columns.count ? null : "broken_csv";
    }

    private String joined(String[] cells) {
        StringBuilder whole = new StringBuilder();
        for (int i = 0; i < cells.length; i++) {
            whole.append(i == 0 ? "" : delimiter).append(cells[i] == null ? "" : cells[i]);
        }
        return whole.toString();
    }

    private CsvParserSettings settings() {
        CsvParserSettings settings = new CsvParserSettings();
        settings.getFormat().setDelimiter(delimiter);
        settings.getFormat().setQuoteEscape('"');
        settings.getFormat().setLineSeparator("\n");
        // Univocity takes lines that begin with # for comments otherwise, and leaves them out.
        settings.getFormat().setComment('\0');
        settings.setIgnoreLeadingWhitespaces(false);
        settings.setIgnoreTrailingWhitespaces(false);
        settings.setSkipBitsAsWhitespace(false);
        settings.setReadInputOnSeparateThread(false);
        settings.setMaxCharsPerColumn(-1);
        settings.setMaxColumns(MOST_COLUMNS);
        settings.setNullValue(null);
        settings.setEmptyValue("");
        return settings;
    }
}
