package io.textmill.tfrecord;

import java.util.zip.CRC32C;

/** The checksum of TFRecords: CRC-32C, rotated and offset so that checksums of data that hold checksums stay good. */
final class MaskedCrc {
    private static final int DELTA = 0xa282ead8;
    private final CRC32C crc = new CRC32C();

    int of(byte[] bytes, int from, int length) {
        crc.reset();
        crc.update(bytes, from, length);
        int value = (int) crc.getValue();
        return Integer.rotateRight(value, 15) + DELTA;
    }
}
