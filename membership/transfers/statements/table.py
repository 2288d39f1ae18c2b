"""Statements as a table (CSV), read by a mapping. Lines before the one that names the columns are passed over."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from membership.kernel.money import MINOR_DIGITS, Money
from membership.transfers.statements.lines import Kind, Line, Statement, UnreadableStatement
from membership.transfers.statements.mappings import DELIMITERS, Mapping

MOST_LINES_BEFORE = 30
LONGEST_TEXT = 1000
# Before the point, as in camt.053.
MOST_DIGITS = 13


def read_table(raw: bytes, mapping: Mapping) -> list[Statement]:
    """The one statement of the file; UnreadableStatement names the line and column that cannot be read."""
    if b"\0" in raw:
        raise UnreadableStatement("no_text", "This file is no table of text (CSV).")
    rows = _rows(raw, mapping)
    places = _places(rows, mapping)
    notes: list[str] = []
    lines: list[Line] = []
    taken_back: dict[str, str] = {}
    unknown = 0
    for n, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells = _Cells(n, row, places)
        if _is_left_out(cells, mapping):
            continue
        line = _line(cells, mapping)
        if line is None:
            unknown += 1
            continue
        if line.kind is Kind.RETURN:
            taken_back[line.own_id] = line.linked_id
        if line.amount.minor:
            lines.append(line)
    if unknown:
        notes.append(f"Lines in a currency that this program does not know, to be booked by hand: {unknown}.")
    lines = [_of_the_gift(line, taken_back) for line in lines]
    return [Statement(mapping.way, mapping.source, "", tuple(lines), tuple(notes))]


def _of_the_gift(line: Line, taken_back: dict[str, str]) -> Line:
    """A fee names the movement that took a gift back (of the same second, so it stands in the same file): the gift."""
    is_fee = line.kind in {Kind.FEE, Kind.FEE_BACK}
    return replace(line, linked_id=taken_back.get(line.linked_id, line.linked_id)) if is_fee else line


class _Cells:
    """One row, by the names of its columns; "" for a column that the row does not reach or the mapping lacks."""

    def __init__(self, n: int, row: list[str], places: dict[str, int]) -> None:
        self.n, self._row, self._places = n, row, places

    def __getitem__(self, column: str) -> str:
        place = self._places.get(_folded(column)) if column else None
        return self._row[place].strip()[:LONGEST_TEXT] if place is not None and place < len(self._row) else ""

    def wrong(self, column: str) -> UnreadableStatement:
        """What to say of a cell that cannot be read."""
        return UnreadableStatement(
            "bad_cell", f"Line {self.n}: {self[column]!r} in the column {column!r} is not what the mapping expects."
        )


def _rows(raw: bytes, mapping: Mapping) -> Iterator[tuple[int, list[str]]]:
    encoding = "utf-8-sig" if mapping.encoding == "utf-8" else mapping.encoding
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableStatement("encoding", f"The file is not written in {mapping.encoding}.") from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[mapping.delimiter], strict=False)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise UnreadableStatement("no_text", f"Line {reader.line_num} is no line of a table: {error}.") from error


def _folded(column: str) -> str:
    return " ".join(column.casefold().split())


def _places(rows: Iterator[tuple[int, list[str]]], mapping: Mapping) -> dict[str, int]:
    """Column -> its place, from the first line that names every column of the mapping."""
    wanted = {_folded(column) for column in mapping.columns()}
    best: set[str] = set()
    for n, row in rows:
        places = {_folded(cell): place for place, cell in reversed(list(enumerate(row)))}
        if wanted <= set(places):
            return places
        best = max(best, wanted & set(places), key=len)
        if n > MOST_LINES_BEFORE:
            break
    missing = ", ".join(sorted(column for column in mapping.columns() if _folded(column) not in best))
    raise UnreadableStatement("no_columns", f"No line names these columns: {missing}. Is it the right mapping?")


def _is_left_out(cells: _Cells, mapping: Mapping) -> bool:
    wanted = {column: {_folded(value) for value in values} for column, values in mapping.only.items()}
    if any(_folded(cells[column]) not in values for column, values in wanted.items()):
        return True
    return _folded(cells[mapping.kind]) in {_folded(kind) for kind in mapping.not_kinds}


def _line(cells: _Cells, mapping: Mapping) -> Line | None:
    currency = (cells[mapping.currency] or mapping.currency_is).upper()
    if currency not in MINOR_DIGITS:
        return None
    minor = _minor(cells, mapping.amount, mapping, currency)
    if mapping.amount_out:
        minor = minor - abs(_minor(cells, mapping.amount_out, mapping, currency))
    kind, is_odd = _kind(cells, mapping, minor)
    return Line(
        kind=kind,
        booked_on=_day(cells, mapping),
        amount=Money(abs(minor), currency),
        text=" ".join(cells[column] for column in mapping.texts if cells[column])[:LONGEST_TEXT],
        name=cells[mapping.name][:140],
        account=cells[mapping.account].replace(" ", "").upper()[:254],
        own_id=cells[mapping.own_id],
        linked_id=cells[mapping.own_id if kind is Kind.CREDIT else mapping.returns_id],
        fee=_fee(cells, mapping, kind, currency),
        is_odd=is_odd,
    )


def _kind(cells: _Cells, mapping: Mapping, minor: int) -> tuple[Kind, bool]:
    """What a line is, and whether it is hardly a gift: money that came again after it had gone back."""
    said = _folded(cells[mapping.kind]) if mapping.kind else ""
    is_return = said in {_folded(value) for value in mapping.returns}
    if said in {_folded(value) for value in mapping.fees}:
        return (Kind.FEE if minor < 0 else Kind.FEE_BACK), False
    if minor > 0:
        return Kind.CREDIT, is_return
    return (Kind.RETURN if is_return else Kind.DEBIT), False


def _fee(cells: _Cells, mapping: Mapping, kind: Kind, currency: str) -> Money | None:
    """What was kept of a gift, whatever sign it is written with; of a return, below zero where a fee came back."""
    minor = _minor(cells, mapping.fee, mapping, currency) if mapping.fee else 0
    kept = {Kind.CREDIT: abs(minor), Kind.RETURN: -minor}.get(kind, 0)
    return Money(kept, currency) if kept else None


def _minor(cells: _Cells, column: str, mapping: Mapping, currency: str) -> int:
    """An amount in minor units; empty is nothing. A sign may stand before or behind it."""
    text = cells[column].replace("\u2212", "-").replace("'", "").replace("\u00a0", "").replace("\u202f", "")
    text = text.replace(" ", "").replace("." if mapping.decimal == "," else ",", "")
    sign = -1 if "-" in text or (text.startswith("(") and text.endswith(")")) else 1
    digits = text.strip("+-()")
    if not digits:
        return 0
    if len(digits.replace(",", ".").partition(".")[0]) > MOST_DIGITS:  # the database would not hold it
        raise cells.wrong(column)
    try:
        return sign * Money.parse(digits, currency).minor
    except ValueError as error:
        whole, _, part = digits.replace(",", ".").partition(".")
        # Some banks write more zeros than the currency has.
        if part.strip("0") == "" and whole.isdecimal():
            return sign * Money.parse(whole, currency).minor
        raise cells.wrong(column) from error


def _day(cells: _Cells, mapping: Mapping) -> date:
    try:
        return datetime.strptime(cells[mapping.date], mapping.date_form).date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise cells.wrong(mapping.date) from error
