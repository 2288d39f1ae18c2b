"""The rows of the rooms below the dashboard, by plain SQL: what every number has to follow from.

No model, query or rule of the product is used: whoever reads a column wrongly there does not do so here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from tests.year.place import Place, day_at


class PaymentRow(NamedTuple):
    at: datetime
    currency: str
    minor: int
    rhythm: str
    way: str
    purpose: str


class ReturnRow(NamedTuple):
    at: datetime
    minor: int
    of: PaymentRow


class FeeRow(NamedTuple):
    at: datetime
    currency: str
    minor: int
    kind: str


class MovementRow(NamedTuple):
    at: datetime
    reference: str
    kind: str
    currency: str
    yearly_minor: int
    milli_cups: int
    cause: str


class TroubleRow(NamedTuple):
    at: datetime
    currency: str
    minor: int
    kind: str


class ChangeRow(NamedTuple):
    """What was written of when somebody is a patron, in the order in which it was."""

    person_id: int
    starts_at: datetime


class TimeRow(NamedTuple):
    """Somebody is a patron in `[starts_at, ends_at)`."""

    person_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Rows:
    """Everything up to `upto`; `quotes` of one euro by day and currency, as they were published."""

    upto: datetime
    payments: list[PaymentRow]
    returns: list[ReturnRow]
    fees: list[FeeRow]
    movements: list[MovementRow]
    times: list[TimeRow]
    troubles: list[TroubleRow]
    changes: list[ChangeRow]
    quotes: dict[tuple[date, str], Decimal]

    @property
    def today(self) -> date:
        return day_at(self.upto)


PAYMENTS = """
    SELECT p.id, p.paid_at, p.currency, p.charged_minor, p.rhythm, p.way, c.purpose FROM payments p
    LEFT JOIN contributions c ON c.reference = p.reference ORDER BY p.id
"""
RETURNS = "SELECT moved_at, amount_minor, payment_id FROM payment_reversals ORDER BY id"
FEES = """
    SELECT t.moved_at, e.currency, e.amount_minor, t.kind FROM journal_transactions t
    JOIN journal_entries e ON e.transaction_id = t.id
    WHERE e.account = 'provider_fees' AND t.kind IN ('fee', 'reversal_fee') ORDER BY e.id
"""
MOVEMENTS = """
    SELECT at, reference, kind, currency, yearly_delta_minor, milli_cups_delta, cause FROM movements ORDER BY id
"""
SPANS = "SELECT person_id, starts_at, ends_at FROM coverage_spans"
TROUBLES = "SELECT at, currency, amount_minor, kind FROM payment_troubles ORDER BY id"
CHANGES = "SELECT person_id, starts_at FROM patron_changes ORDER BY id"
GRACES = "SELECT person_id, opened_at, until, closed_at FROM graces"


def read(place: Place, upto: datetime, quotes: dict[tuple[date, str], Decimal]) -> Rows:
    payments = {
        number: PaymentRow(_moment(at), currency, int(minor), rhythm, way, purpose or "")
        for number, at, currency, minor, rhythm, way, purpose in place.rows(PAYMENTS)
    }
    returns = [ReturnRow(_moment(at), int(minor), payments[of]) for at, minor, of in place.rows(RETURNS)]
    fees = [FeeRow(_moment(at), currency, int(minor), kind) for at, currency, minor, kind in place.rows(FEES)]
    movements = [
        MovementRow(_moment(at), reference, kind, currency, int(yearly), int(cups), cause)
        for at, reference, kind, currency, yearly, cups, cause in place.rows(MOVEMENTS)
    ]
    times = [TimeRow(person, _moment(start), _moment(end)) for person, start, end in place.rows(SPANS)]
    for person, opened, until, closed in place.rows(GRACES):
        end = min(_moment(until), _moment(closed)) if closed else _moment(until)
        times.append(TimeRow(person, _moment(opened), end))
    troubles = [TroubleRow(_moment(at), currency, int(n), kind) for at, currency, n, kind in place.rows(TROUBLES)]
    changes = [ChangeRow(person, _moment(start)) for person, start in place.rows(CHANGES)]
    return Rows(upto, list(payments.values()), returns, fees, movements, times, troubles, changes, quotes)


def _moment(value: Any) -> datetime:
    """SQLite keeps moments as text, in UTC."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
