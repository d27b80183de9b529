package io.textmill.embed;

import java.io.Serializable;
import java.util.List;

/** The rows of one partition as token ids, back to back: two arrays, whatever the number of rows. */
final class Sentences implements Serializable {
    private final int[] words;
    private final int[] starts;

    Sentences(List<int[]> rows) {
        starts = new int[rows.size() + 1];
        for (int row = 0; row < rows.size(); row++) {
            starts[row + 1] = Math.addExact(starts[row], rows.get(row).length);
        }
        words = new int[starts[rows.size()]];
        for (int row = 0; row < rows.size(); row++) {
            System.arraycopy(rows.get(row), 0, words, starts[row], rows.get(row).length);
        }
    }

    int rows() {
        return starts.length - 1;
    }

    /** Where row {@code row} starts in {@link #word}; that of the next row is where it ends. */
    int start(int row) {
        return starts[row];
    }

    int word(int position) {
        return words[position];
    }
}
