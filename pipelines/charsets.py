"""Names of encodings: those of the JVM, which reads the files, and Python's, which looks into them before."""

from __future__ import annotations

import codecs
import json
import pkgutil
from functools import cache

from pipelines.validation import did_you_mean

UTF8 = "UTF-8"
_COMMON = ("UTF-8", "UTF-16", "UTF-16LE", "CP949", "EUC-KR", "windows-31j", "Shift_JIS", "GB18030", "windows-1252")
_MEANT = {"cp949": "x-windows-949", "uhc": "x-windows-949", "cp932": "windows-31j"}
"""What people and Python mean by names that the JVM gives to IBM's code pages, which lack many syllables."""
_IN_PYTHON = {"x-windows-949": "cp949", "windows-31j": "cp932"}
_ADVISED = {"cp949": "CP949", "cp932": "windows-31j", "euc_jp": "EUC-JP", "gb18030": "GB18030", "big5": "Big5",
            "cp1252": "windows-1252", "cp1251": "windows-1251"}  # fmt: skip
"""The encodings that are looked for in bytes that are no UTF-8, and how a definition names them."""
_SAMPLE = 1 << 14


@cache
def _names() -> dict[str, str]:
    """The JVM's own name (of Java 17; later ones have these too) for each name it knows, in lower case."""
    content = pkgutil.get_data("pipelines", "charsets.json")
    assert content is not None
    known = {name: [name, *aliases] for name, aliases in json.loads(content).items()}
    found = {alias.lower(): name for name, aliases in known.items() for alias in aliases}
    return found | {name.lower(): name for name in known} | _MEANT


def of_jvm(name: str) -> str:
    """What the JVM calls an encoding; raises ValueError for one it does not know."""
    found = _names().get(name.lower())
    if found is None:
        raise ValueError(f"is no encoding that Java knows{did_you_mean(name, [*_COMMON])}")
    return found


@cache
def of_python(jvm_name: str) -> str | None:
    """Python's name for it; None where Python does not know it."""
    others = [name for name, known in _names().items() if known == jvm_name]
    for name in [_IN_PYTHON.get(jvm_name, jvm_name), *others]:
        try:
            found = codecs.lookup(name)
        except LookupError:
            continue
        return found.name if getattr(found, "_is_text_encoding", True) else None
    return None


def advice(content: bytes) -> str:
    """Which encodings to try for bytes that are no UTF-8, as the end of a message; empty where none fits."""
    from charset_normalizer import from_bytes

    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        names = ["UTF-16"]
    elif zeros := [name for start, name in ((1, "UTF-16LE"), (0, "UTF-16BE")) if _is_mostly_zero(content[start::2])]:
        names = zeros
    else:
        found = from_bytes(content[:_SAMPLE], cp_isolation=[*_ADVISED])
        names = [_ADVISED[match.encoding] for match in found if match.encoding in _ADVISED][:3]
    return f"; it looks like {' or '.join(names)}: write encoding: {names[0]} in the input" if names else ""


def _is_mostly_zero(content: bytes) -> bool:
    return content.count(0) > len(content) / 4
