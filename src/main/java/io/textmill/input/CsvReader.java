package io.textmill.input;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;

/**
 * The records of CSV text, as Python's csv and pandas divide it: a quote opens where a cell begins, two are one inside,
 * and text after a closing quote makes all of the cell text as it stands. Blank lines are no records.
 *
 * <p>Written here because univocity, which Spark has, leaves out lines that begin with NUL, ends at 65,536 columns, and
 * says nothing of a quote that is still open at the end.
 */
final class CsvReader implements Closeable {
    private static final int NONE = -2;

    private enum State { CELL, TEXT, QUOTED, AFTER_QUOTE, AFTER_CELL }

    private final Characters in;
    private final char delimiter;
    private final int quote;
    private final CsvRecord record;
    private long line = 1;
    /** Lines of the current record that have been begun and are not blank. */
    private long lines;
    private boolean isBlankLine;
    private long quotedIn;
    private State state;

    /** {@code quote} is empty where quotes are text; of a record {@code most} characters are kept. */
    CsvReader(InputStream bytes, char delimiter, String quote, int most) {
        in = new Characters(bytes);
        this.delimiter = delimiter;
        this.quote = quote.isEmpty() ? NONE : quote.charAt(0);
        record = new CsvRecord(most);
    }

    /** The next record, in an object that is used again; null at the end. */
    CsvRecord next() throws IOException {
        while (read()) {
            if (!record.isBlank()) {
                return record;
            }
        }
        return null;
    }

    /** How many lines of the last record are not blank. */
    long lines() {
        return lines;
    }

    String cell(int i) {
        return record.cell(i, (char) quote);
    }

    /** Reads a line and those that its quotes hold; false at the end. */
    private boolean read() throws IOException {
        int c = in.next();
        if (c == Characters.END) {
            return false;
        }
        record.begin(line);
        state = State.CELL;
        lines = 0;
        isBlankLine = true;
        for (; c != Characters.END; c = in.next()) {
            if (c == '\n') {
                line++;
                isBlankLine = true;
                if (state != State.QUOTED) {
                    break;
                }
            } else if (isBlankLine && !Character.isWhitespace(c)) {
                isBlankLine = false;
                lines++;
            }
            take((char) c);
        }
        if (c == Characters.END && state == State.QUOTED) {
            record.openedIn = quotedIn;
        }
        record.endCell();
        return true;
    }

    private void take(char c) {
        if (c == delimiter && state != State.QUOTED) {
            record.endCell();
            record.add(c);
            record.beginCell();
            state = State.CELL;
            return;
        }
        State before = state;
        state = after(c);
        record.add(c);
        if (before == State.QUOTED && state == State.AFTER_QUOTE) {
            record.closeQuote();
        }
    }

    private State after(char c) {
        switch (state) {
            case CELL:
                quotedIn = line;
                return c == quote ? State.QUOTED : State.TEXT;
            case QUOTED:
                return c == quote ? State.AFTER_QUOTE : State.QUOTED;
            case AFTER_QUOTE:
                if (c == quote) {
                    record.reopen();
                    return State.QUOTED;
                }
                return afterCell(c);
            case AFTER_CELL:
                return afterCell(c);
            default:
                return State.TEXT;
        }
    }

    /** White space may stand between a closing quote and the delimiter. */
    private State afterCell(char c) {
        if (c == ' ' || c == '\t') {
            return State.AFTER_CELL;
        }
        record.reopen();
        if (line > quotedIn) {
            record.openedIn = quotedIn;
        }
        return State.TEXT;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
