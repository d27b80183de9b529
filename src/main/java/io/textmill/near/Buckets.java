package io.textmill.near;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import scala.Tuple2;

/**
 * Moves (band hash, document) pairs to the partition of their hash, packed in blocks of many: a shuffle of single rows
 * costs some twenty times as much. There, documents in the same bucket become candidates.
 */
final class Buckets {
    private static final int PAIRS = 4096;

    private Buckets() {}

    /** The pairs of all documents of a task as blocks (partition, packed pairs); blocks leave as they fill. */
    static final class Blocks implements Iterator<Tuple2<Integer, byte[]>> {
        private final Iterator<Bands> documents;
        private final long[][] open;
        private final int[] used;
        private final List<Tuple2<Integer, byte[]>> full = new ArrayList<>();
        private boolean flushed;

        Blocks(Iterator<Bands> documents, int partitions) {
            this.documents = documents;
            open = new long[partitions][];
            used = new int[partitions];
        }

        @Override
        public boolean hasNext() {
            while (full.isEmpty() && documents.hasNext()) {
                add(documents.next());
            }
            if (full.isEmpty() && !flushed) {
                flushed = true;
                for (int partition = 0; partition < open.length; partition++) {
                    flush(partition);
                }
            }
            return !full.isEmpty();
        }

        @Override
        public Tuple2<Integer, byte[]> next() {
            hasNext();
            return full.remove(full.size() - 1);
        }

        private void add(Bands document) {
            for (long hash : document.hashes) {
                int partition = (int) Long.remainderUnsigned(hash, open.length);
                if (open[partition] == null) {
                    open[partition] = new long[2 * PAIRS];
                }
                open[partition][used[partition]++] = hash;
                open[partition][used[partition]++] = document.key;
                if (used[partition] == 2 * PAIRS) {
                    flush(partition);
                }
            }
        }

        private void flush(int partition) {
            if (used[partition] > 0) {
                ByteBuffer bytes = ByteBuffer.allocate(used[partition] * Long.BYTES);
                bytes.asLongBuffer().put(open[partition], 0, used[partition]);
                full.add(new Tuple2<>(partition, bytes.array()));
                used[partition] = 0;
            }
        }
    }

    /** A document's key and the hashes of its bands. */
    static final class Bands {
        final long key;
        final long[] hashes;

        Bands(long key, long[] hashes) {
            this.key = key;
            this.hashes = hashes;
        }
    }

    /** All pairs of a partition, in the order of (hash, key): hashes at even places, keys at odd ones. */
    static long[] sorted(Iterator<Tuple2<Integer, byte[]>> blocks) {
        List<LongBuffer> all = new ArrayList<>();
        int longs = 0;
        while (blocks.hasNext()) {
            LongBuffer block = ByteBuffer.wrap(blocks.next()._2()).asLongBuffer();
            longs += block.remaining();
            all.add(block);
        }
        long[] pairs = new long[longs];
        int at = 0;
        for (LongBuffer block : all) {
            int size = block.remaining();
            block.get(pairs, at, size);
            at += size;
        }
        return Pairs.sort(pairs);
    }

    /** Where the bucket that begins at {@code start} ends. */
    static int end(long[] pairs, int start) {
        int end = start + 2;
        while (end < pairs.length && pairs[end] == pairs[start]) {
            end += 2;
        }
        return end;
    }

    /** The distinct keys of a bucket, ascending. */
    static long[] keys(long[] pairs, int start, int end) {
        long[] keys = new long[(end - start) / 2];
        int kept = 0;
        for (int i = start + 1; i < end; i += 2) {
            if (kept == 0 || keys[kept - 1] != pairs[i]) {
                keys[kept++] = pairs[i];
            }
        }
        return Arrays.copyOf(keys, kept);
    }
}
