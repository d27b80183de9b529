package io.textmill.text;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;

/** Labels that look equal are one class. textmill/texts.py is the same in Python, for labels that no Spark reads. */
public final class Labels {
    private static final Cleaner CLEANER =
            new Cleaner(JsonNodeFactory.instance.objectNode().put("unicode", "NFC").put("width", false));

    private Labels() {}

    /** The label as NFC, without invisible characters and outer blanks, one space for blanks inside; "" of a blank one. */
    public static String clean(String label) {
        return CLEANER.clean(label).text();
    }
}
