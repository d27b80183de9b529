package io.textmill.input;

import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;

/**
 * Text with \n for every kind of line break and without a byte order mark. It counts what it gave out since the last
 * record began, so that a quote which is never closed ends in a message and not in all of the memory.
 */
final class UnixText extends FilterReader {
    private final int most;
    private long given;
    private boolean started;
    private boolean afterReturn;
    private IOException problem;

    UnixText(Reader in, int most) {
        super(in);
        this.most = most;
    }

    /** A record has been read to its end. */
    void nextRecord() {
        given = 0;
    }

    /** Why reading failed; null unless it did. A parser in between hides it in an exception of its own. */
    IOException problem() {
        return problem;
    }

    @Override
    public int read(char[] target, int offset, int length) throws IOException {
        try {
            return tryRead(target, offset, length);
        } catch (IOException error) {
            problem = error;
            throw error;
        }
    }

    private int tryRead(char[] target, int offset, int length) throws IOException {
        int kept = 0;
        while (kept == 0) {
            int read = in.read(target, offset, length);
            if (read < 0) {
                return -1;
            }
            kept = normalize(target, offset, read);
        }
        given += kept;
        if (given > most) {
            throw new IOException("more than " + most + " characters in one record: is a quote not closed?");
        }
        return kept;
    }

    @Override
    public int read() throws IOException {
        char[] one = new char[1];
        return read(one, 0, 1) < 0 ? -1 : one[0];
    }

    private int normalize(char[] text, int offset, int length) {
        int out = offset;
        for (int i = offset; i < offset + length; i++) {
            char c = text[i];
            boolean dropped = c == '\n' && afterReturn || c == '\uFEFF' && !started;
            started = true;
            afterReturn = c == '\r';
            if (!dropped) {
                text[out++] = c == '\r' ? '\n' : c;
            }
        }
        return out - offset;
    }
}
