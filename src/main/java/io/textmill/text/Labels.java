package io.textmill.text;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Labels that look equal are one class. textmill/texts.py is the same in Python, for labels that no Spark reads. */
public final class Labels {
    private static final Cleaner CLEANER =
            new Cleaner(JsonNodeFactory.instance.objectNode().put("unicode", "NFC").put("width", false));

    /** What became of an integer in a column with gaps, which pandas makes a column of fractions. */
    private static final Pattern WHOLE = Pattern.compile("(-?[0-9]+)\\.0+");

    private Labels() {}

    /**
     * The label as NFC, without invisible characters and outer blanks, one space for blanks inside; "" of a blank one. 1.0 is
     * the label 1.
     */
    public static String clean(String label) {
        String text = CLEANER.clean(label).text();
        Matcher whole = WHOLE.matcher(text);
        return whole.matches() ? whole.group(1) : text;
    }
}
