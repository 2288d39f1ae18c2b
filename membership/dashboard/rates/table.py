"""A table of rates that somebody made: CSV with the columns date, base, currency, rate, in any order.

One unit of `base` cost `rate` units of `currency` on that day.
"""

import csv
import io

from membership.dashboard.rates.parts import day, quote, unreadable
from membership.dashboard.rules.rates import Quote

COLUMNS = ("date", "base", "currency", "rate")


def read(raw: bytes) -> list[Quote]:
    """Every quote of the table; InvalidInput, with the line, where one cannot be read."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable("The table is not in UTF-8.") from error
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in rows.fieldnames or ()]
        if missing := [name for name in COLUMNS if name not in names]:
            raise unreadable(f"The table has no column {', '.join(missing)}. It needs: {', '.join(COLUMNS)}.")
        rows.fieldnames = names
        found = [
            quote("csv", day(row["date"] or ""), row["base"] or "", row["currency"] or "", row["rate"] or "")
            for row in rows
        ]
    except csv.Error as error:
        raise unreadable(f"Line {rows.line_num}: {error}.") from error
    return [each for each in found if each is not None]
