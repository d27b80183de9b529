package io.textmill.input;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * The characters of UTF-8 text one by one: \n for every kind of line break, without a byte order mark at the beginning,
 * and {@link #INVALID} for bytes that are no UTF-8.
 */
final class Characters implements Closeable {
    static final int END = -1;
    /**
     * Half a surrogate pair, which UTF-8 can't spell: so it is told from U+FFFD, which may really stand in a text. It
     * comes after the first half of a pair in good text too.
     */
    static final char INVALID = '\uDC80';

    private final Reader in;
    private final char[] buffer = new char[1 << 16];
    private int position;
    private int limit;
    private boolean isStarted;

    Characters(InputStream bytes) {
        in = new InputStreamReader(bytes, StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE)
                .replaceWith(String.valueOf(INVALID)));
    }

    /** The next character; {@link #END} at the end. */
    int next() throws IOException {
        if (!isStarted) {
            isStarted = true;
            if (peek() == '\uFEFF') {
                position++;
            }
        }
        int next = take();
        if (next != '\r') {
            return next;
        }
        if (peek() == '\n') {
            position++;
        }
        return '\n';
    }

    private int take() throws IOException {
        return position < limit || fill() ? buffer[position++] : END;
    }

    private int peek() throws IOException {
        return position < limit || fill() ? buffer[position] : END;
    }

    private boolean fill() throws IOException {
        int read;
        do {
            read = in.read(buffer, 0, buffer.length);
        } while (read == 0);
        position = 0;
        limit = Math.max(0, read);
        return read > 0;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
