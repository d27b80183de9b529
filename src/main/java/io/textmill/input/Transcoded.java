package io.textmill.input;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Text of any encoding as UTF-8; what is no text in it becomes a byte that UTF-8 does not know. */
final class Transcoded extends InputStream {
    private static final byte[] NO_TEXT = {(byte) 0xff};

    private final Reader in;
    private final char[] chars = new char[1 << 14];
    /** Characters at the beginning of the array that were read before: half a pair. */
    private int kept;
    private byte[] bytes = new byte[0];
    private int position;

    Transcoded(InputStream raw, String encoding) {
        in = new InputStreamReader(raw, Charset.forName(encoding).newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE)
                .replaceWith(String.valueOf(Characters.INVALID)));
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (position == bytes.length) {
            if (!fill()) {
                return -1;
            }
        }
        int count = Math.min(length, bytes.length - position);
        System.arraycopy(bytes, position, target, offset, count);
        position += count;
        return count;
    }

    private boolean fill() throws IOException {
        int read = in.read(chars, kept, chars.length - kept);
        int end = kept + Math.max(0, read);
        if (end == 0) {
            return false;
        }
        // Half a pair waits for the other one, unless there is none.
        kept = read >= 0 && Character.isHighSurrogate(chars[end - 1]) ? 1 : 0;
        bytes = encoded(end - kept);
        position = 0;
        if (kept == 1) {
            chars[0] = chars[end - 1];
        }
        return true;
    }

    private byte[] encoded(int end) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(3 * end);
        int from = 0;
        for (int i = 0; i <= end; i++) {
            boolean isPair = i + 1 < end && Character.isSurrogatePair(chars[i], chars[i + 1]);
            boolean isNoText = i < end && !isPair && Character.isSurrogate(chars[i]);
            if (i == end || isNoText) {
                out.writeBytes(new String(chars, from, i - from).getBytes(StandardCharsets.UTF_8));
                out.writeBytes(isNoText ? NO_TEXT : new byte[0]);
                from = i + 1;
            }
            i += isPair ? 1 : 0;
        }
        return out.toByteArray();
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
