package io.textmill.tfrecord;

/** Walks over a message of Protocol Buffers in a buffer that others own. Raises Malformed where it isn't one. */
final class Wire {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int DELIMITED = 2;
    static final int FIXED32 = 5;

    byte[] bytes;
    int position;
    int end;

    void over(byte[] buffer, int from, int to) {
        bytes = buffer;
        position = from;
        end = to;
    }

    boolean hasMore() {
        return position < end;
    }

    long varint() {
        if (position < end && bytes[position] >= 0) {
            return bytes[position++];
        }
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (position >= end) {
                throw cut();
            }
            byte next = bytes[position++];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new Malformed("a number in it has more than 10 bytes: is this the right recordType?");
    }

    /** A field's number and wire type: {@code number << 3 | type}. */
    int tag() {
        long tag = varint();
        if (tag < 8 || tag > 0xffffffffL) {
            throw new Malformed("it is not a message of Protocol Buffers: is this the right recordType?");
        }
        return (int) tag;
    }

    /** The end of the delimited field whose length comes next. */
    int delimited() {
        long length = varint();
        if (length < 0 || length > end - position) {
            throw cut();
        }
        return position + (int) length;
    }

    /** Confines the walk to the delimited field that comes next; returns what {@link #leave} needs to go on. */
    int enter() {
        int outer = end;
        end = delimited();
        return outer;
    }

    void leave(int outer) {
        position = end;
        end = outer;
    }

    int fixed32() {
        if (end - position < 4) {
            throw cut();
        }
        position += 4;
        return bytes[position - 4] & 0xff | (bytes[position - 3] & 0xff) << 8 | (bytes[position - 2] & 0xff) << 16
                | bytes[position - 1] << 24;
    }

    /** Passes over the value of a field that is not known. */
    void skip(int tag) {
        switch (tag & 7) {
            case VARINT:
                varint();
                break;
            case FIXED64:
                advance(8);
                break;
            case DELIMITED:
                position = delimited();
                break;
            case FIXED32:
                advance(4);
                break;
            default:
                throw new Malformed("it is not a message of Protocol Buffers: is this the right recordType?");
        }
    }

    private void advance(int count) {
        if (end - position < count) {
            throw cut();
        }
        position += count;
    }

    private static Malformed cut() {
        return new Malformed("a part of it is longer than the record: is this the right recordType?");
    }
}
