package io.textmill.embed;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import scala.Tuple2;

/** Cells of the co-occurrence matrix: 12 bytes each, in an order of their own. */
final class Cells implements Serializable {
    final int[] rows;
    final int[] columns;
    final float[] weights;

    private Cells(int size) {
        rows = new int[size];
        columns = new int[size];
        weights = new float[size];
    }

    /** The cells of {@code pairs}, by row and column. */
    Cells(Iterator<Tuple2<Long, Long>> pairs) {
        this(sorted(pairs));
    }

    private Cells(List<Tuple2<Long, Long>> pairs) {
        this(pairs.size());
        for (int i = 0; i < pairs.size(); i++) {
            rows[i] = CoOccurrences.row(pairs.get(i)._1());
            columns[i] = CoOccurrences.column(pairs.get(i)._1());
            weights[i] = CoOccurrences.weight(pairs.get(i)._2());
        }
    }

    static Cells joined(List<Cells> parts) {
        Cells whole = new Cells(parts.stream().mapToInt(Cells::size).reduce(0, Math::addExact));
        int start = 0;
        for (Cells part : parts) {
            System.arraycopy(part.rows, 0, whole.rows, start, part.size());
            System.arraycopy(part.columns, 0, whole.columns, start, part.size());
            System.arraycopy(part.weights, 0, whole.weights, start, part.size());
            start += part.size();
        }
        return whole;
    }

    int size() {
        return rows.length;
    }

    /** Fisher and Yates's shuffle. */
    void shuffle(SplittableRandom random) {
        for (int i = size() - 1; i > 0; i--) {
            swap(i, random.nextInt(i + 1));
        }
    }

    private void swap(int i, int j) {
        int row = rows[i];
        int column = columns[i];
        float weight = weights[i];
        rows[i] = rows[j];
        columns[i] = columns[j];
        weights[i] = weights[j];
        rows[j] = row;
        columns[j] = column;
        weights[j] = weight;
    }

    private static List<Tuple2<Long, Long>> sorted(Iterator<Tuple2<Long, Long>> pairs) {
        List<Tuple2<Long, Long>> list = new ArrayList<>();
        pairs.forEachRemaining(list::add);
        list.sort((a, b) -> Long.compare(a._1(), b._1()));
        return list;
    }
}
