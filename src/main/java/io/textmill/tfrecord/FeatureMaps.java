package io.textmill.tfrecord;

import java.util.Arrays;

/** Walks over the maps of an Example or a SequenceExample. */
abstract class FeatureMaps {
    /** Tags of delimited fields 1 and 2. */
    static final int FIRST = 1 << 3 | Wire.DELIMITED;
    static final int SECOND = 2 << 3 | Wire.DELIMITED;

    private final RecordType type;

    FeatureMaps(RecordType type) {
        this.type = type;
    }

    /**
     * The order of keys in a map that is written: by bytes, but {@code abc} before its beginning {@code ab}, as
     * TensorFlow's messages have it in Python, where protobuf is upb (seen in 4.25, 5.29 and 6.33).
     */
    static int compare(byte[] key, byte[] other, int from, int to) {
        int common = Math.min(key.length, to - from);
        int order = Arrays.compareUnsigned(key, 0, common, other, from, from + common);
        return order != 0 ? order : to - from - key.length;
    }

    static int compare(byte[] key, byte[] other) {
        return compare(key, other, 0, other.length);
    }

    /** Takes one feature: the key's place in the buffer; {@code wire} is confined to the Feature. */
    abstract void feature(int keyFrom, int keyTo);

    /** Takes one feature list: the key's place in the buffer; {@code wire} is confined to the FeatureList. */
    abstract void featureList(int keyFrom, int keyTo);

    /** Raises Malformed for what is no message, and for feature lists in an Example. */
    final void message(Wire wire) {
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == FIRST) {
                map(wire, false);
            } else if (tag != SECOND) {
                wire.skip(tag);
            } else if (type == RecordType.EXAMPLE) {
                throw new Malformed("it has feature_lists: set option recordType to SequenceExample");
            } else {
                map(wire, true);
            }
        }
    }

    private void map(Wire wire, boolean isLists) {
        int outer = wire.enter();
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == FIRST) {
                int map = wire.enter();
                entry(wire, isLists);
                wire.leave(map);
            } else {
                wire.skip(tag);
            }
        }
        wire.leave(outer);
    }

    /** An entry's key may come after its value, and either may be missing, which is an empty one. */
    private void entry(Wire wire, boolean isLists) {
        int entryEnd = wire.end;
        int key = wire.position;
        int keyEnd = key;
        int value = key;
        int valueEnd = key;
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == FIRST) {
                keyEnd = wire.delimited();
                key = wire.position;
                wire.position = keyEnd;
            } else if (tag == SECOND) {
                valueEnd = wire.delimited();
                value = wire.position;
                wire.position = valueEnd;
            } else {
                wire.skip(tag);
            }
        }
        wire.position = value;
        wire.end = valueEnd;
        if (isLists) {
            featureList(key, keyEnd);
        } else {
            feature(key, keyEnd);
        }
        wire.end = entryEnd;
    }
}
