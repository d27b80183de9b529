package io.textmill.input;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;

/**
 * Records of a CSV file (RFC 4180, quoted line breaks included), read from its beginning to its end by one task. Each
 * file's own header tells where its columns are. A record's position is its number, from 1.
 *
 * <p>A quote that was not meant as one swallows the lines up to the next, or all that follow. Each of these lines
 * counts as a record that is set aside; so does each line of a record that does not fit the header.
 */
final class CsvFile implements Format {
    private static final String OPEN_QUOTE = "open_quote";

    private final String text;
    private final String label;
    private final String id;
    private final int maxBytes;
    private final char delimiter;
    private final String quote;
    private final String encoding;

    CsvFile(JsonNode spec) {
        text = spec.path("text").asText();
        label = spec.path("label").asText(null);
        id = spec.path("id").asText(null);
        maxBytes = spec.path("max_record_bytes").asInt(1 << 20);
        delimiter = spec.path("delimiter").asText(",").charAt(0);
        quote = spec.path("quote").asText("\"");
        encoding = spec.path("encoding").asText(null);
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
        private CsvReader reader;
        private Columns columns;
        private Swallowed swallowed;
        private long number;

        RecordsOf(Slice slice, Configuration conf) {
            super(slice.file);
            this.slice = slice;
            this.conf = conf;
        }

        @Override
        void open() throws IOException {
            reader = new CsvReader(Format.open(slice, encoding, conf), delimiter, quote, maxBytes + 1);
            CsvRecord header = reader.next();
            columns = header == null ? null : new Columns(header, reader);
        }

        @Override
        Row read() throws IOException {
            if (swallowed == null || swallowed.left == 0) {
                CsvRecord record = columns == null ? null : reader.next();
                if (record == null) {
                    return null;
                }
                String reason = reason(record);
                if (reason == null || reader.lines() <= 1 && record.openedIn == 0) {
                    return reason == null ? good(record) : Record.bad(record.raw(), reason, position());
                }
                boolean isWhole = record.openedIn == 0 && record.cells() == columns.count;
                swallowed = new Swallowed(record, reason, isWhole ? 1 : reader.lines());
            }
            return swallowed.next(position());
        }

        private String position() {
            return slice.name + ":" + ++number;
        }

        private String reason(CsvRecord record) {
            if (record.openedIn > 0) {
                return OPEN_QUOTE;
            }
            if (record.isInvalid()) {
                return Format.unreadable(encoding);
            }
            if (record.isOverlong() || isLong(record.raw())) {
                return "record_too_long";
            }
            return record.cells() == columns.count ? null : "broken_csv";
        }

        private Row good(CsvRecord record) {
            String named = columns.ofLabel < 0 ? null : reader.cell(columns.ofLabel);
            String identity = columns.ofId < 0 ? null : reader.cell(columns.ofId);
            String content = reader.cell(columns.ofText);
            return Record.of(identity, content, named, label != null, record::raw, position());
        }

        @Override
        public void close() throws IOException {
            if (reader != null) {
                reader.close();
            }
        }
    }

    private boolean isLong(String raw) {
        return raw.length() > maxBytes / 3 && raw.getBytes(StandardCharsets.UTF_8).length > maxBytes;
    }

    /** The lines of a record that should have been several, a row each; of those that were not kept without a text. */
    private static final class Swallowed {
        private final Iterator<String> lines;
        private final String reason;
        private final String note;
        long left;

        Swallowed(CsvRecord record, String reason, long count) {
            String raw = record.raw();
            lines = count == 1
                    ? List.of(raw).iterator()
                    : raw.lines().filter(line -> !line.isBlank()).iterator();
            this.reason = reason;
            note = record.openedIn == 0 ? "" : " (quote opened in line " + record.openedIn + ")";
            left = count;
        }

        Row next(String position) {
            left--;
            return Record.bad(lines.hasNext() ? lines.next() : "", reason, position + note);
        }
    }

    /** Where the wanted columns are in one file. */
    private final class Columns {
        final int count;
        final int ofText;
        final int ofLabel;
        final int ofId;

        Columns(CsvRecord header, CsvReader reader) throws IOException {
            if (header.openedIn > 0) {
                throw new IOException("a quote that opens in line " + header.openedIn
                        + ", in the header, is not closed: write quote: null where quotes are text");
            }
            if (header.isOverlong()) {
                throw new IOException("its header is longer than max_record_bytes");
            }
            count = header.cells();
            List<String> names = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                names.add(Objects.requireNonNullElse(reader.cell(i), ""));
            }
            ofText = find(names, text, header.line);
            ofLabel = label == null ? -1 : find(names, label, header.line);
            ofId = id == null ? -1 : find(names, id, header.line);
        }

        private int find(List<String> names, String name, long line) throws IOException {
            if (!names.contains(name)) {
                throw new IOException("its header, line " + line + ", has no column '" + name + "'; there are: " + names);
            }
            return names.indexOf(name);
        }
    }
}
