package io.textmill.tfrecord;

import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A message of Protocol Buffers written from its end to its beginning: when the length of a part must be written, the
 * part is already there, so one pass and one buffer are enough. Numbers are little-endian.
 */
final class ReverseBuffer {
    private byte[] bytes = new byte[1 << 12];
    private int start = bytes.length;

    void clear() {
        start = bytes.length;
    }

    byte[] array() {
        return bytes;
    }

    /** Where what was written begins; it ends with the array. */
    int start() {
        return start;
    }

    /** Bytes written so far. */
    int size() {
        return bytes.length - start;
    }

    void put(byte[] part) {
        put(part, 0, part.length);
    }

    void put(byte[] part, int from, int length) {
        room(length);
        start -= length;
        System.arraycopy(part, from, bytes, start, length);
    }

    void put(UTF8String text) {
        int length = text.numBytes();
        room(length);
        start -= length;
        text.writeToMemory(bytes, Platform.BYTE_ARRAY_OFFSET + start);
    }

    void putByte(int value) {
        room(1);
        bytes[--start] = (byte) value;
    }

    void putInt(int value) {
        room(4);
        start -= 4;
        for (int i = 0; i < 4; i++) {
            bytes[start + i] = (byte) (value >>> 8 * i);
        }
    }

    void putLong(long value) {
        putInt((int) (value >>> 32));
        putInt((int) value);
    }

    void putVarint(long value) {
        room(10);
        if ((value & ~0x7fL) == 0) {
            bytes[--start] = (byte) value;
            return;
        }
        int length = (70 - Long.numberOfLeadingZeros(value)) / 7;
        start -= length;
        long rest = value;
        for (int i = 0; i < length - 1; i++) {
            bytes[start + i] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[start + length - 1] = (byte) rest;
    }

    /** The head of field {@code number} that holds everything written since the buffer had {@code size} bytes. */
    void closeField(int number, int size) {
        putVarint(size() - size);
        putByte(number << 3 | Wire.DELIMITED);
    }

    private void room(int more) {
        if (start < more) {
            int used = size();
            long wanted = Math.max(2L * bytes.length, (long) used + more);
            if (wanted > Integer.MAX_VALUE - 16) {
                throw new Malformed("it is longer than 2 GiB");
            }
            byte[] larger = new byte[(int) wanted];
            System.arraycopy(bytes, start, larger, larger.length - used, used);
            bytes = larger;
            start = larger.length - used;
        }
    }
}
