package io.textmill.input;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** What file systems say of many files: where many are in one folder it is listed, for to ask for each takes minutes. */
final class Listing {
    private static final int LISTED_FROM = 50;

    private final Configuration conf;
    private final Map<Path, Integer> wanted = new HashMap<>();
    private final Map<Path, Map<String, FileStatus>> listed = new HashMap<>();

    private Listing(Configuration conf) {
        this.conf = conf;
    }

    /** The status of each file, in the files' order; throws IOException for one that is not there. */
    static List<FileStatus> of(Configuration conf, List<String> files) throws IOException {
        Listing listing = new Listing(conf);
        for (String file : files) {
            listing.wanted.merge(new Path(file).getParent(), 1, Integer::sum);
        }
        List<FileStatus> found = new ArrayList<>();
        for (String file : files) {
            found.add(listing.status(new Path(file)));
        }
        return found;
    }

    private FileStatus status(Path path) throws IOException {
        FileSystem system = path.getFileSystem(conf);
        Path folder = path.getParent();
        if (wanted.get(folder) >= LISTED_FROM && !listed.containsKey(folder)) {
            Map<String, FileStatus> inside = new HashMap<>();
            for (FileStatus status : system.listStatus(folder)) {
                inside.put(status.getPath().getName(), status);
            }
            listed.put(folder, inside);
        }
        FileStatus known = listed.getOrDefault(folder, Map.of()).get(path.getName());
        return known != null ? known : system.getFileStatus(path);
    }
}
