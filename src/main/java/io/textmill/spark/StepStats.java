package io.textmill.spark;

import java.io.IOException;
import java.io.ObjectOutputStream;
import org.apache.spark.sql.api.java.UDF7;
import org.apache.spark.util.AccumulatorV2;

/**
 * Counts, reasons, labels, lengths, writing systems and samples of the rows that pass, as JSON.
 *
 * <p>An accumulator that a function in the writing stage fills, for Spark counts each task of a job's last stage once,
 * however often it was tried. (Its Observation can't: a typed aggregate in it does not serialize in Spark 3.5.)
 *
 * <p>Synchronized throughout: an executor's heartbeat serializes it while its task counts.
 */
public final class StepStats extends AccumulatorV2<Counts, Counts> {
    private Counts counts = new Counts();

    /** The function (part, reason, label, its spelling, length, unknown tokens, text) that counts a row and lets it pass. */
    UDF7<String, String, String, String, Integer, Integer, String, Boolean> counting() {
        return (part, reason, label, spelling, length, unknown, text) -> {
            count(part, reason, label, spelling, length, unknown, text);
            return true;
        };
    }

    private synchronized void count(
            String part, String reason, String label, String spelling, Integer length, Integer unknown, String text) {
        counts.add(part, reason, label, spelling, length, unknown, text);
    }

    /** {"parts": {name: {"rows", "labels", "spellings", "lengths", "writing", "samples", "unknown"}}, "reasons": {…}}. */
    public synchronized String json() {
        return counts.json().toString();
    }

    @Override
    public synchronized boolean isZero() {
        return counts.isEmpty();
    }

    @Override
    public synchronized StepStats copy() {
        StepStats copy = new StepStats();
        copy.counts.add(counts);
        return copy;
    }

    @Override
    public synchronized void reset() {
        counts = new Counts();
    }

    @Override
    public synchronized void add(Counts other) {
        counts.add(other);
    }

    @Override
    public void merge(AccumulatorV2<Counts, Counts> other) {
        add(other.value());
    }

    /** What has been counted so far; a copy, for the counting goes on. */
    @Override
    public synchronized Counts value() {
        Counts copy = new Counts();
        copy.add(counts);
        return copy;
    }

    private synchronized void writeObject(ObjectOutputStream out) throws IOException {
        out.defaultWriteObject();
    }
}
