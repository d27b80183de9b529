package io.textmill.populate;

import java.util.List;

/** One generated utterance. */
public final class Utterance {
    /** An entity's place: UTF-16 offsets, the end exclusive. */
    public static final class Span {
        public final int start;
        public final int end;
        public final String entity;

        Span(int start, int end, String entity) {
            this.start = start;
            this.end = end;
            this.entity = entity;
        }
    }

    public final String text;
    public final String label;
    public final int line;
    public final List<Span> spans;

    Utterance(String text, String label, int line, List<Span> spans) {
        this.text = text;
        this.label = label;
        this.line = line;
        this.spans = spans;
    }
}
