package io.textmill.input;

import java.io.Serializable;

/**
 * A piece of a file: the records that begin after {@code start} (at 0 the first one too) and not after {@code end},
 * both in bytes. The end of a file that is read as a whole is Long.MAX_VALUE.
 */
final class Slice implements Serializable {
    final String file;
    /** What positions call the file. */
    final String name;
    final long start;
    final long end;

    Slice(String file, String name, long start, long end) {
        this.file = file;
        this.name = name;
        this.start = start;
        this.end = end;
    }
}
