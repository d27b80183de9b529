package io.textmill.files;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/**
 * The content of all members of a gzip file, one after another. Zeros behind them, as copies of whole blocks leave them,
 * are no content; anything else is an error (the JDK's own stream ends there in silence, Hadoop's fails at zeros too).
 */
public final class GzipMembers extends InputStream {
    private final BufferedInputStream in;
    private InputStream member;

    public GzipMembers(InputStream packed) {
        in = packed instanceof BufferedInputStream ? (BufferedInputStream) packed : new BufferedInputStream(packed);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        try {
            while (member != null || open()) {
                int read = member.read(target, offset, length);
                if (read >= 0) {
                    return read;
                }
                member = null;
            }
            return -1;
        } catch (EOFException error) {
            throw new IOException("unexpected end of input: the gzip file was cut off", error);
        }
    }

    private boolean open() throws IOException {
        int next;
        do {
            in.mark(1);
            next = in.read();
        } while (next == 0);
        if (next < 0) {
            return false;
        }
        in.reset();
        member = new GzipCompressorInputStream(in);
        return true;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
