package io.textmill.tfrecord;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The records of a slice of a file: those that begin in [start, end), each of which may end after it.
 *
 * <p>A record is its length (8 bytes), the length's checksum (4), the data and the data's checksum (4). A slice that
 * begins in the middle of a file begins at the first byte where both checksums hold. Data that happens to look like a
 * record is thus possible (at random once in 2^64 bytes, surely where a record holds TFRecords), so it is never just
 * believed: who reads the slice before comes to the true border by the lengths, and raises an error unless the first
 * such byte at or after its end is exactly that border and a good record begins there. The first slice begins at a
 * record, therefore each of them does, or the job fails.
 */
final class RecordInput implements Closeable {
    private static final int HEADER = 12;
    private static final int FOOTER = 4;
    /** What an array of bytes can hold with header and footer. */
    private static final long LONGEST = Integer.MAX_VALUE - 64;

    private final String file;
    private final Window window;
    private final long end;
    private final long fileLength;
    private final MaskedCrc crc = new MaskedCrc();
    /** Length of the record at the window's position; -1 before the first. */
    private int length = -1;
    private boolean isDone;
    /** Whether the first record was searched for. */
    private final boolean isSearched;

    /** {@code end} and {@code fileLength} are Long.MAX_VALUE where the whole file is read. */
    RecordInput(String file, Window window, long end, long fileLength) {
        this.file = file;
        this.window = window;
        isSearched = window.offset() > 0;
        this.end = end;
        this.fileLength = fileLength;
    }

    /** Goes to the next record; false after the last. Raises Malformed for a damaged one, naming file and offset. */
    boolean next() {
        try {
            isDone = isDone || !advance();
            return !isDone;
        } catch (Malformed problem) {
            throw problem.at(file, window.offset());
        } catch (IOException error) {
            String place = "record at byte " + window.offset() + " of " + file;
            throw new UncheckedIOException(place + " can't be read: " + error.getMessage(), error);
        }
    }

    byte[] array() {
        return window.array();
    }

    /** Where in the array the record's data begins. */
    int from() {
        return window.position() + HEADER;
    }

    /** Where in the array the record's data ends. */
    int to() {
        return from() + length;
    }

    /** Where in the file the record begins. */
    long offset() {
        return window.offset();
    }

    String file() {
        return file;
    }

    private boolean advance() throws IOException {
        if (length < 0) {
            return isSearched ? findIn(end) && read() : read();
        }
        int whole = HEADER + length + FOOTER;
        if (window.offset() + whole >= end) {
            checkBorder(window.offset() + whole);
            return false;
        }
        window.advance(whole);
        return read();
    }

    /** Reads and checks the record at the window; false at the file's end. */
    private boolean read() throws IOException {
        if (!window.has(HEADER)) {
            if (window.held() == 0) {
                return false;
            }
            throw new Malformed("the file ends after " + window.held() + " bytes of it: it was cut off");
        }
        if (!isHeader()) {
            throw new Malformed("its checksum differs (length): the file is damaged or no TFRecord file"
                    + (isSearched ? ", or has TFRecords inside of records: then set option split to false" : ""));
        }
        long announced = announced();
        if (announced < 0 || announced > LONGEST) {
            throw new Malformed("it is " + Long.toUnsignedString(announced) + " bytes long; 2 GiB is the limit");
        }
        length = (int) announced;
        if (!window.has(HEADER + length + FOOTER)) {
            throw new Malformed("the file ends " + (HEADER + length + FOOTER - window.held())
                    + " bytes before the record: it was cut off");
        }
        if (!isData(length)) {
            throw new Malformed("its checksum differs (data): the file is damaged");
        }
        return true;
    }

    /** Moves to the first good record that begins before {@code border}; false where there is none. */
    private boolean findIn(long border) throws IOException {
        while (window.offset() < border && window.has(HEADER)) {
            if (isRecord()) {
                return true;
            }
            window.advance(1);
        }
        return false;
    }

    /** Makes sure that the slice that begins at {@code end} begins with the record at {@code border}. */
    private void checkBorder(long border) throws IOException {
        long record = window.offset();
        window.advance((int) (end - record));
        if (findIn(border)) {
            throw new Malformed("a TFRecord begins here inside the record at byte " + record
                    + ", so the file can't be read in parts: set option split to false");
        }
        // No header fits into the last bytes of a file, where the search ends early.
        window.advance((int) (border - window.offset()));
        read();
    }

    private boolean isRecord() throws IOException {
        if (!isHeader()) {
            return false;
        }
        long announced = announced();
        boolean fits = announced >= 0 && announced <= LONGEST
                && announced <= fileLength - window.offset() - HEADER - FOOTER;
        return fits && window.has(HEADER + (int) announced + FOOTER) && isData((int) announced);
    }

    private boolean isHeader() {
        return crc.of(window.array(), window.position(), 8) == int32(window.position() + 8);
    }

    private boolean isData(int size) {
        int from = window.position() + HEADER;
        return crc.of(window.array(), from, size) == int32(from + size);
    }

    private long announced() {
        int at = window.position();
        return int32(at) & 0xffffffffL | (long) int32(at + 4) << 32;
    }

    private int int32(int at) {
        byte[] bytes = window.array();
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff) << 16 | bytes[at + 3] << 24;
    }

    @Override
    public void close() throws IOException {
        window.close();
    }
}
