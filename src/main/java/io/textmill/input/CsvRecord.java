package io.textmill.input;

import java.util.Arrays;

/** What was read of one record of a CSV file: its beginning as it stood there, and where its cells lie in that. */
final class CsvRecord {
    private final int most;
    private final StringBuilder raw = new StringBuilder();
    private int[] starts = new int[16];
    private int[] ends = new int[16];
    private int cells;
    /** Where in the raw text the last cell begins, and behind its closing quote; -1 unless it is quoted well. */
    private int start;
    private int closed;
    private boolean isOverlong;
    private boolean isInvalid;
    private char before;
    long line;
    /** The line in which a quote opened that swallowed what comes after it; 0 where none did. */
    long openedIn;

    /** Keeps {@code most} characters, so that a quote which is never closed doesn't take all of the memory. */
    CsvRecord(int most) {
        this.most = most;
    }

    void begin(long inLine) {
        raw.setLength(0);
        cells = 0;
        start = 0;
        closed = -1;
        isOverlong = false;
        isInvalid = false;
        before = 0;
        line = inLine;
        openedIn = 0;
    }

    void add(char c) {
        isInvalid |= c == Characters.INVALID && !Character.isHighSurrogate(before);
        before = c;
        if (raw.length() < most) {
            raw.append(c);
        } else {
            isOverlong = true;
        }
    }

    /** The quote that closes the current cell has been added. */
    void closeQuote() {
        closed = raw.length();
    }

    /** What looked like a closing quote was none: the cell is text with quotes in it. */
    void reopen() {
        closed = -1;
    }

    /** The current cell has ended; what has been added since the last one is its text. */
    void endCell() {
        if (cells == starts.length) {
            starts = Arrays.copyOf(starts, 2 * cells);
            ends = Arrays.copyOf(ends, 2 * cells);
        }
        starts[cells] = start;
        // A negative end is that of a quoted cell.
        ends[cells] = closed < 0 ? raw.length() : -closed;
        cells++;
        closed = -1;
    }

    /** The delimiter has been added. */
    void beginCell() {
        start = raw.length();
    }

    int cells() {
        return cells;
    }

    /** A cell's text; null for one in which nothing stands, not even quotes. */
    String cell(int i, char quote) {
        if (ends[i] >= 0) {
            return ends[i] == starts[i] ? null : raw.substring(starts[i], ends[i]);
        }
        String inside = raw.substring(starts[i] + 1, -ends[i] - 1);
        String escape = String.valueOf(quote);
        return inside.indexOf(quote) < 0 ? inside : inside.replace(escape + escape, escape);
    }

    /** Nothing but white space in one cell without quotes: a line that holds no record. */
    boolean isBlank() {
        return cells == 1 && ends[0] >= 0 && !isOverlong && raw.toString().isBlank();
    }

    boolean isInvalid() {
        return isInvalid;
    }

    /** Whether some of it was not kept. */
    boolean isOverlong() {
        return isOverlong;
    }

    /** Its beginning, with U+FFFD for bytes that can't be read. */
    String raw() {
        return isInvalid ? raw.toString().replace(Characters.INVALID, '\uFFFD') : raw.toString();
    }
}
