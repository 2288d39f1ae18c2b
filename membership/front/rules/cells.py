"""What stands in the cells of a CSV that a spreadsheet will open (security.md S29)."""

import csv
import io
from collections.abc import Iterable, Sequence

# So that spreadsheets read UTF-8 as such.
BOM = "\ufeff"
# With these a spreadsheet begins a formula; in their wide forms too, which some fold. Blanks before them are skipped.
FORMULA_BEGINS = frozenset("=+-@\t\r\n\0＝＋－＠")


def safe(text: str) -> str:
    """`text`, with an apostrophe before it where a spreadsheet would take it for a formula."""
    if not text or (text[0].isalnum() and text[0] not in FORMULA_BEGINS):
        return text
    is_formula = text[0] in FORMULA_BEGINS or text.lstrip()[:1] in FORMULA_BEGINS
    return "'" + text if is_formula else text


def lines(rows: Iterable[Sequence[str | int | None]], risky: Sequence[int]) -> str:
    """Lines of a CSV, every cell in quotes. `risky` are the places of cells in which somebody may have typed something;
    all others hold our own words, numbers and days.
    """
    page = io.StringIO()
    writer = csv.writer(page, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in rows:
        cells = list(row)
        for place in risky:
            cells[place] = safe(str(cells[place] or ""))
        writer.writerow(cells)
    return page.getvalue()
