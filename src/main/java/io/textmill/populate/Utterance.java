package io.textmill.populate;

import java.util.List;

/** One generated utterance. */
public final class Utterance {
    /** An entity's place: UTF-16 offsets, the end exclusive. */
    public static final class Span {
        private final int start;
        private final int end;
        private final String entity;

        Span(int start, int end, String entity) {
            this.start = start;
            this.end = end;
            this.entity = entity;
        }

        public int start() {
            return start;
        }

        public int end() {
            return end;
        }

        public String entity() {
            return entity;
        }
    }

    private final String text;
    private final String label;
    private final int line;
    private final List<Span> spans;

    Utterance(String text, String label, int line, List<Span> spans) {
        this.text = text;
        this.label = label;
        this.line = line;
        this.spans = spans;
    }

    public String text() {
        return text;
    }

    public String label() {
        return label;
    }

    /** The line of its template in the template file. */
    public int line() {
        return line;
    }

    /** Where its entities are, in order. */
    public List<Span> spans() {
        return spans;
    }
}
