package io.textmill.files;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Files as they are inside. gzip, bzip2, zstd and xz are known by their first bytes, whatever the name. */
public final class Unpacked {
    private static final int HEAD = 10;
    private static final byte[] ZSTD = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};
    private static final byte[] XZ = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0};
    private static final byte[] BZIP2 = {'B', 'Z', 'h'};
    private static final byte[] BZIP2_BLOCK = {0x31, 0x41, 0x59, 0x26, 0x53, 0x59};
    private static final byte[] BZIP2_END = {0x17, 0x72, 0x45, 0x38, 0x50, (byte) 0x90};

    private enum Kind { PLAIN, GZIP, BZIP2, ZSTD, XZ }

    private Unpacked() {}

    /** Whether a file can't be read from its middle. */
    public static boolean isPacked(Path file, Configuration conf) throws IOException {
        try (InputStream in = file.getFileSystem(conf).open(file)) {
            return kind(in.readNBytes(HEAD)) != Kind.PLAIN;
        }
    }

    /** The content of a stream that is at the beginning of a file. */
    public static InputStream of(InputStream raw) throws IOException {
        BufferedInputStream in = new BufferedInputStream(raw, 1 << 16);
        in.mark(HEAD);
        Kind kind = kind(in.readNBytes(HEAD));
        in.reset();
        switch (kind) {
            case GZIP:
                return new GzipMembers(in);
            case BZIP2:
                return new BZip2CompressorInputStream(in, true);
            case ZSTD:
                return new ZstdInputStream(in);
            case XZ:
                return new XZCompressorInputStream(in, true);
            default:
                return in;
        }
    }

    private static Kind kind(byte[] head) {
        if (isGzip(head)) {
            return Kind.GZIP;
        }
        if (is(head, 0, BZIP2) && (is(head, 4, BZIP2_BLOCK) || is(head, 4, BZIP2_END))) {
            return Kind.BZIP2;
        }
        return is(head, 0, ZSTD) ? Kind.ZSTD : is(head, 0, XZ) ? Kind.XZ : Kind.PLAIN;
    }

    /** Whether a file begins as gzip does. */
    public static boolean isGzip(byte[] head) {
        return head.length > 2 && head[0] == 0x1f && head[1] == (byte) 0x8b;
    }

    private static boolean is(byte[] head, int from, byte[] sign) {
        int at = 0;
        while (at < sign.length && from + at < head.length && head[from + at] == sign[at]) {
            at++;
        }
        return at == sign.length;
    }
}
