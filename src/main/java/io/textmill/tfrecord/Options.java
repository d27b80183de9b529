package io.textmill.tfrecord;

import java.io.Serializable;
import org.apache.spark.sql.catalyst.util.CaseInsensitiveMap;
import org.apache.spark.sql.catalyst.util.CompressionCodecs;
import scala.Option;
import scala.collection.immutable.Map;

/** The options of the data source; raises IllegalArgumentException for a value that is none. */
final class Options implements Serializable {
    private static final long serialVersionUID = 1L;

    final RecordType recordType;
    /** Class name of the codec to write with; null for none. */
    final String codec;
    /** Whether large files are read in parts. */
    final boolean split;
    /** How many records of each file are looked at to find the schema. */
    final long sampleRecords;

    Options(Map<String, String> given) {
        CaseInsensitiveMap<String> options = new CaseInsensitiveMap<>(given);
        recordType = RecordType.named(text(options, "recordType", RecordType.EXAMPLE.label));
        String compression = text(options, "compression", text(options, "codec", "none"));
        codec = CompressionCodecs.getCodecClassName(compression);
        split = isTrue(text(options, "split", "true"));
        sampleRecords = positive(text(options, "sampleRecords", Long.toString(Long.MAX_VALUE)));
    }

    private static String text(CaseInsensitiveMap<String> options, String name, String otherwise) {
        Option<String> value = options.get(name);
        return value.isDefined() ? value.get() : otherwise;
    }

    private static boolean isTrue(String text) {
        if (!text.equalsIgnoreCase("true") && !text.equalsIgnoreCase("false")) {
            throw new IllegalArgumentException("tfrecord: option split is " + text + ", neither true nor false");
        }
        return text.equalsIgnoreCase("true");
    }

    private static long positive(String text) {
        if (!text.matches("[1-9][0-9]{0,18}")) {
            throw new IllegalArgumentException("tfrecord: option sampleRecords is " + text + ", not a number above 0");
        }
        return Long.parseLong(text);
    }
}
