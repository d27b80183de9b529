package io.textmill.input;

import io.textmill.files.Unpacked;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Divides files into groups of about equal bytes, in the files' order: a partition each. The division depends on the
 * sizes and the number asked for alone, never on cores or on where blocks lie. Compressed files stay whole, for
 * positions count the bytes of what is inside.
 */
final class Slices {
    /** The slices that one task reads, and the hosts that hold the first of them. */
    static final class Group {
        final ArrayList<Slice> slices = new ArrayList<>();
        List<String> hosts = List.of();
    }

    private final Configuration conf;
    private final boolean cut;
    private final List<FileStatus> files = new ArrayList<>();
    private long target;

    private Slices(Configuration conf, boolean cut) {
        this.conf = conf;
        this.cut = cut;
    }

    /** At most {@code partitions} groups; {@code cut} tells whether files may be divided. */
    static List<Group> of(Configuration conf, List<String> files, int partitions, boolean cut) throws IOException {
        Slices slices = new Slices(conf, cut);
        slices.files.addAll(Listing.of(conf, files));
        long bytes = slices.files.stream().mapToLong(FileStatus::getLen).sum();
        slices.target = Math.max(1, (bytes + partitions - 1) / partitions);
        return slices.groups(files);
    }

    private List<Group> groups(List<String> paths) throws IOException {
        List<String> names = names(paths);
        List<Group> groups = new ArrayList<>();
        long before = 0;
        long current = -1;
        for (int i = 0; i < paths.size(); i++) {
            long size = files.get(i).getLen();
            boolean isCut = size > 0 && before / target != (before + size - 1) / target && isCut(i);
            for (long start = 0; start < size; ) {
                long group = (before + start) / target;
                long next = isCut ? Math.min(size, (group + 1) * target - before) : size;
                if (group != current) {
                    groups.add(new Group());
                    groups.get(groups.size() - 1).hosts = hosts(files.get(i), start);
                    current = group;
                }
                long end = isCut ? next : Long.MAX_VALUE;
                groups.get(groups.size() - 1).slices.add(new Slice(paths.get(i), names.get(i), start, end));
                start = next;
            }
            before += size;
        }
        return groups;
    }

    /** Asked only of files that lie over a border, for each costs a look into it. */
    private boolean isCut(int i) throws IOException {
        return cut && !Unpacked.isPacked(files.get(i).getPath(), conf);
    }

    private List<String> hosts(FileStatus file, long start) throws IOException {
        FileSystem system = file.getPath().getFileSystem(conf);
        BlockLocation[] blocks = system.getFileBlockLocations(file, start, 1);
        boolean known = blocks.length > 0 && !Arrays.asList(blocks[0].getHosts()).contains("localhost");
        return known ? List.of(blocks[0].getHosts()) : List.of();
    }

    /** The files' names, with as many folders before them as it takes to tell files of the same name apart. */
    static List<String> names(List<String> paths) {
        List<String> names = new ArrayList<>(Collections.nCopies(paths.size(), ""));
        List<Integer> left = new ArrayList<>();
        for (int i = 0; i < paths.size(); i++) {
            left.add(i);
        }
        for (int parts = 1; !left.isEmpty() && parts < 100; parts++) {
            Map<String, Integer> seen = new HashMap<>();
            for (int i : left) {
                names.set(i, tail(paths.get(i), parts));
                seen.merge(names.get(i), 1, Integer::sum);
            }
            left.removeIf(i -> seen.get(names.get(i)) == 1);
        }
        return names;
    }

    private static String tail(String path, int parts) {
        int start = path.length();
        for (int part = 0; part < parts && start >= 0; part++) {
            start = path.lastIndexOf('/', start - 1);
        }
        return path.substring(start + 1);
    }
}
