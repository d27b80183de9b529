import com.ibm.icu.lang.UCharacter;
import com.ibm.icu.text.UnicodeSet;
import com.ibm.icu.util.VersionInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Writes textmill/emoji_sequences.txt, which emoji Unicode joins by U+200D, from the data that ICU4J ships:
 * {@code gradle emojiSequences}. Skin tones and variation selectors are left out: they may follow any element.
 */
public final class EmojiSequences {
    private EmojiSequences() {}

    /** {@code EmojiSequences FILE}. */
    public static void main(String[] arguments) throws IOException {
        TreeSet<String> lines = new TreeSet<>();
        for (String sequence : new UnicodeSet("[:RGI_Emoji_ZWJ_Sequence:]").strings()) {
            lines.add(sequence.codePoints()
                    .filter(c -> c != 0x200D && c != 0xFE0F && !(c >= 0x1F3FB && c <= 0x1F3FF))
                    .mapToObj(Integer::toHexString)
                    .map(String::toUpperCase)
                    .collect(Collectors.joining(" ")));
        }
        String head = "# The property RGI_Emoji_ZWJ_Sequence of Unicode " + UCharacter.getUnicodeVersion().getVersionString(2, 2)
                + " (emoji-zwj-sequences.txt of UTS #51), by ICU4J " + VersionInfo.ICU_VERSION.getVersionString(2, 2) + ";\n"
                + "# Copyright Unicode, Inc., https://www.unicode.org/license.txt. Written by `gradle emojiSequences`.\n"
                + "# A line for each sequence: its code points, U+200D between them, without skin tones and U+FE0F.\n";
        Files.writeString(Path.of(arguments[0]), head + String.join("\n", lines) + "\n");
    }
}
