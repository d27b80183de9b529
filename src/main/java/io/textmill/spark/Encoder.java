package io.textmill.spark;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Tokens to fixed-length ids: 0 pads, 1 stands for unknown tokens, the vocabulary counts from 2. */
final class Encoder {
    private final Map<String, Integer> ids = new HashMap<>();
    private final int length;
    private final boolean fromEnd;

    /** {@code vocabulary} is the text of vocabulary.tsv: token, tab, count. */
    Encoder(String vocabulary, int length, boolean fromEnd) {
        this.length = length;
        this.fromEnd = fromEnd;
        int id = 2;
        for (int start = 0; start < vocabulary.length(); ) {
            int end = vocabulary.indexOf('\n', start);
            String line = vocabulary.substring(start, end < 0 ? vocabulary.length() : end);
            ids.put(line.substring(0, line.lastIndexOf('\t')), id++);
            start = end < 0 ? vocabulary.length() : end + 1;
        }
    }

    /** ids (always {@code length} of them), number of real tokens among them, number of unknown ones. */
    Object[] encode(scala.collection.Seq<String> tokens) {
        int size = tokens.size();
        int kept = Math.min(size, length);
        int first = fromEnd ? size - kept : 0;
        Integer[] row = new Integer[length];
        Arrays.fill(row, kept, length, 0);
        int unknown = 0;
        for (int i = 0; i < kept; i++) {
            Integer id = ids.get(tokens.apply(first + i));
            row[i] = id == null ? 1 : id;
            unknown += id == null ? 1 : 0;
        }
        return new Object[] {row, kept, unknown};
    }
}
