package io.textmill.tfrecord;

/** A record that can't be made into a row, or a row into a record. What it says is completed by where it is. */
final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
        super(message);
    }

    /** The same problem with the record's place in front. */
    Malformed at(String file, long offset) {
        return new Malformed("record at byte " + offset + " of " + file + ": " + getMessage());
    }
}
