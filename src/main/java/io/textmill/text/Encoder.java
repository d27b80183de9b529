package io.textmill.text;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Tokens to fixed-length ids: 0 pads, 1 stands for unknown tokens, the vocabulary counts from 2. With buckets, unknown
 * tokens share the ids after the vocabulary's by their hash instead of 1. Free of Spark, so that serving encodes as
 * training does.
 */
public final class Encoder {
    private static final int UNKNOWN = 1;
    private static final int FIRST = 2;

    private final Map<String, Integer> ids = new HashMap<>();
    private final int length;
    private final boolean fromEnd;
    private final int buckets;

    /** {@code vocabulary} is the text of vocabulary.tsv: token, tab, count. */
    public Encoder(String vocabulary, int length, boolean fromEnd, int buckets) {
        this.length = length;
        this.fromEnd = fromEnd;
        this.buckets = buckets;
        for (int start = 0; start < vocabulary.length(); ) {
            int end = vocabulary.indexOf('\n', start);
            end = end < 0 ? vocabulary.length() : end;
            ids.put(token(vocabulary.substring(start, end)), ids.size() + FIRST);
            start = end + 1;
        }
    }

    private String token(String line) {
        int tab = line.lastIndexOf('\t');
        String token = line.substring(0, Math.max(0, tab));
        if (tab < 0 || ids.containsKey(token)) {
            String wrong = tab < 0 ? "has no tab" : "names a token a second time";
            int number = ids.size() + 1;
            throw new IllegalArgumentException("line " + number + " of the vocabulary " + wrong + ": " + line);
        }
        return token;
    }

    /** ids (always {@code length} of them), number of real tokens among them, number of unknown ones. */
    public Object[] encode(IntFunction<String> tokens, int size) {
        int kept = Math.min(size, length);
        int first = fromEnd ? size - kept : 0;
        Integer[] row = new Integer[length];
        Arrays.fill(row, kept, length, 0);
        int unknown = 0;
        for (int i = 0; i < kept; i++) {
            String token = tokens.apply(first + i);
            Integer id = ids.get(token);
            row[i] = id == null ? unknown(token) : id;
            unknown += id == null ? 1 : 0;
        }
        return new Object[] {row, kept, unknown};
    }

    private int unknown(String token) {
        if (buckets == 0) {
            return UNKNOWN;
        }
        int hash = token.hashCode() * 0x9E3779B9;
        return FIRST + ids.size() + Math.floorMod(hash ^ hash >>> 15, buckets);
    }
}
