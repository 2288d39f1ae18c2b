"""Tables as CSV that a spreadsheet opens without harm.

A cell of text that a spreadsheet would take for a formula is written behind an apostrophe, as OWASP advises ("CSV
Injection"). Numbers of ours are written as numbers, below zero too. UTF-8 with a mark at its start, by which Excel
knows it; lines end as RFC 4180 says.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from flask import Response

Cell = str | int | Decimal | date | datetime | None
MARK = "\ufeff"
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(cell: Cell) -> str:
    """One cell as it is written: numbers with a point, days and moments in ISO 8601, text that starts no formula."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.lstrip(" ").startswith(FORMULAS) else cell
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def lines(rows: Iterable[Sequence[Cell]]) -> Iterable[str]:
    """The rows one by one, the first with the mark before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(MARK)
    for row in rows:
        writer.writerow([safe(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def csv_response(rows: Iterable[Sequence[Cell]], name: str) -> Response:
    """The rows as a download called `name`.csv."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("".join(lines(rows)), mimetype="text/csv", headers=headers)
