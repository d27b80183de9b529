package io.textmill.input;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;

/** Rows as they are read; a problem of the file is an exception that names it. */
abstract class Rows implements Iterator<Row>, Closeable {
    private final String place;
    private Row next;
    private boolean opened;
    private boolean ended;

    Rows(String place) {
        this.place = place;
    }

    /** Called once, before the first row is read. */
    abstract void open() throws IOException;

    /** The next row; null at the end. */
    abstract Row read() throws IOException;

    @Override
    public final boolean hasNext() {
        if (next == null && !ended) {
            advance();
        }
        return next != null;
    }

    private void advance() {
        try {
            if (!opened) {
                opened = true;
                open();
            }
            next = read();
            ended = next == null;
            if (ended) {
                close();
            }
        } catch (IOException error) {
            throw new UncheckedIOException(place + " can't be read to its end: " + error.getMessage(), error);
        }
    }

    @Override
    public final Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Row row = next;
        next = null;
        return row;
    }
}
