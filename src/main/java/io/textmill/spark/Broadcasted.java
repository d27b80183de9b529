package io.textmill.spark;

import java.io.Serializable;
import java.util.function.Function;
import org.apache.spark.broadcast.Broadcast;

/**
 * Something heavy made once per JVM from a text that is broadcast: an analyzer, a vocabulary, an expansion plan.
 * Functions hold this instead of the thing itself, so that tasks carry a reference and not the whole.
 */
final class Broadcasted<T> implements Serializable {
    private final Broadcast<String> source;
    private final Maker<T> make;

    /** A serializable function from the text to the thing. */
    interface Maker<T> extends Function<String, T>, Serializable {}

    Broadcasted(Broadcast<String> source, Maker<T> make) {
        this.source = source;
        this.make = make;
    }

    @SuppressWarnings("unchecked")
    T get() {
        return (T) PerJvm.MADE.computeIfAbsent(source.id(), id -> make.apply(source.value()));
    }

    /** Broadcast ids are unique within an application, and an executor serves one application. */
    private static final class PerJvm {
        static final java.util.concurrent.ConcurrentHashMap<Long, Object> MADE =
                new java.util.concurrent.ConcurrentHashMap<>();
    }
}
