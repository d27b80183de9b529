package io.textmill.tfrecord;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;

/** The part of a stream that is looked at, contiguous in memory. */
final class Window implements Closeable {
    private final InputStream in;
    private byte[] bytes = new byte[1 << 18];
    private int position;
    private int limit;
    /** Where in the file the array begins. */
    private long base;

    /** A window on a stream that has been put at byte {@code offset} of its file. */
    Window(InputStream in, long offset) {
        this.in = in;
        base = offset;
    }

    byte[] array() {
        return bytes;
    }

    /** The place in the array of what is looked at. It stays until {@link #has} is called again. */
    int position() {
        return position;
    }

    /** Where in the file that is. */
    long offset() {
        return base + position;
    }

    /** Bytes that are there already. */
    int held() {
        return limit - position;
    }

    /** Moves on over bytes that are there already. */
    void advance(int count) {
        position += count;
    }

    /** Reads until {@code count} bytes are there; false where the file ends before. */
    boolean has(int count) throws IOException {
        while (held() < count) {
            if (limit == bytes.length || position > 0 && count > bytes.length - position) {
                makeRoom();
            }
            int read = in.read(bytes, limit, bytes.length - limit);
            if (read < 0) {
                return false;
            }
            limit += read;
        }
        return true;
    }

    /** Grows by doubling as bytes really come: a length that was tampered with must not take all memory. */
    private void makeRoom() {
        boolean isFull = held() == bytes.length;
        byte[] target = isFull ? new byte[(int) Math.min(2L * bytes.length, Integer.MAX_VALUE - 16)] : bytes;
        System.arraycopy(bytes, position, target, 0, held());
        limit = held();
        base += position;
        position = 0;
        bytes = target;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
