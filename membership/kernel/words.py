"""Text that people type, made fit to be shown: no invisible characters, no piled-up marks, tidy spaces."""

import re
import unicodedata

# Controls, formats, private use, surrogates, unassigned; letters that show nothing; more than two marks on one letter.
NOT_SHOWN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0" + "".join(chr(code) for code in range(0xFE00, 0xFE10)))
PILED_MARKS = re.compile(r"([\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]{2})[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]+")
LINE_ENDS = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")


def one_line(text: str) -> str:
    """`text` on one line, in NFC, with single spaces and nothing that cannot be seen; "" where nothing is left."""
    visible = "".join(" " if ch.isspace() else ch for ch in unicodedata.normalize("NFC", text))
    visible = "".join(ch for ch in visible if unicodedata.category(ch) not in NOT_SHOWN and ch not in BLANKS)
    line = PILED_MARKS.sub(r"\1", " ".join(visible.split()))
    return line if any(ch.isalnum() for ch in line) else ""


def paragraphs(text: str) -> str:
    """`text` with its lines as `one_line` makes them, and at most one empty line between two; "" for nothing."""
    lines = "\n".join(one_line(line) or _mark(line) for line in LINE_ENDS.split(text))
    tidy = re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
    return tidy if any(ch.isalnum() for ch in tidy) else ""


def _mark(line: str) -> str:
    """A line without letters, such as "—" or "…", keeps its marks."""
    return "".join(ch for ch in " ".join(line.split()) if ch.isprintable() and ch not in BLANKS)
