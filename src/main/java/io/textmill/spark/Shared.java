package io.textmill.spark;

import java.io.Serializable;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;

/**
 * Something heavy made once per JVM from a text that is broadcast: an analyzer, a vocabulary, an expansion plan.
 * Functions hold this instead of the thing itself, so that tasks carry a reference and not the whole.
 */
final class Shared<T> implements Serializable {
    private static final int KEPT = 32;

    /** By content, for a JVM outlives its Spark sessions, and each of them counts its broadcasts from 0 again. */
    private static final Map<String, Object> MADE = new LinkedHashMap<>(KEPT, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
            return size() > KEPT;
        }
    };

    private final String key;
    private final Broadcast<String> source;
    private final Maker<T> make;
    private transient T made;

    /** A serializable function from the text to the thing. */
    interface Maker<T> extends Function<String, T>, Serializable {}

    private Shared(String key, Broadcast<String> source, Maker<T> make) {
        this.key = key;
        this.source = source;
        this.make = make;
    }

    /**
     * Broadcasts {@code text}. {@code kind} names all else that {@code make} depends on. The thing is made here once,
     * so that parameters that don't fit fail now and not in a task.
     */
    static <T> Shared<T> of(SparkSession spark, String kind, String text, Maker<T> make) {
        Broadcast<String> source = JavaSparkContext.fromSparkContext(spark.sparkContext()).broadcast(text);
        Shared<T> shared = new Shared<>(kind + ":" + digest(text), source, make);
        shared.get();
        return shared;
    }

    T get() {
        if (made == null) {
            made = inThisJvm();
        }
        return made;
    }

    @SuppressWarnings("unchecked")
    private T inThisJvm() {
        synchronized (MADE) {
            return (T) MADE.computeIfAbsent(key, name -> make.apply(source.value()));
        }
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return new BigInteger(1, hash).toString(16);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }
}
