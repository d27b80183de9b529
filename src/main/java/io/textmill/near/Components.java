package io.textmill.near;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Connected components of a graph that one task holds in memory, by union-find (Tarjan, JACM 1975). */
public final class Components {
    private static final StructType SCHEMA =
            new StructType().add("key", DataTypes.LongType).add("cluster", DataTypes.LongType);

    private final Map<Long, Integer> numbers = new HashMap<>();
    private long[] keys = new long[1024];
    private int[] parents = new int[1024];

    private Components() {}

    /** Columns key and cluster, the smallest key of its component, of all nodes; {@code edges} has two long columns. */
    public static Dataset<Row> of(Dataset<Row> edges) {
        return edges.sparkSession().createDataFrame(edges.toJavaRDD().coalesce(1).mapPartitions(Components::all), SCHEMA);
    }

    private static Iterator<Row> all(Iterator<Row> edges) {
        Components components = new Components();
        while (edges.hasNext()) {
            Row edge = edges.next();
            components.join(components.number(edge.getLong(0)), components.number(edge.getLong(1)));
        }
        return components.rows();
    }

    private int number(long key) {
        return numbers.computeIfAbsent(key, absent -> {
            int number = numbers.size();
            if (number == keys.length) {
                keys = Arrays.copyOf(keys, 2 * number);
                parents = Arrays.copyOf(parents, 2 * number);
            }
            keys[number] = key;
            parents[number] = number;
            return number;
        });
    }

    /** The root of a component is its node with the smallest key, so the result does not depend on the edges' order. */
    private void join(int a, int b) {
        int one = root(a);
        int two = root(b);
        boolean first = keys[one] < keys[two];
        parents[first ? two : one] = first ? one : two;
    }

    /** Halves the path to the root on the way (Tarjan and van Leeuwen, JACM 1984). */
    private int root(int node) {
        int at = node;
        while (parents[at] != at) {
            parents[at] = parents[parents[at]];
            at = parents[at];
        }
        return at;
    }

    private Iterator<Row> rows() {
        List<Row> rows = new ArrayList<>(numbers.size());
        for (int node = 0; node < numbers.size(); node++) {
            rows.add(RowFactory.create(keys[node], keys[root(node)]));
        }
        return rows.iterator();
    }
}
