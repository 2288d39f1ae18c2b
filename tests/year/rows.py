"""The rows of the rooms below the dashboard, by plain SQL: what every number has to follow from.

No model, query or rule of the product is used: whoever reads a column wrongly there does not do so here.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.year.place import Place, day_at
from tests.year.stripe_books import charges_ahead

if TYPE_CHECKING:
    from tests.year.living import Lived
    from tests.year.newsroom import Stayed


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


class StartRow(NamedTuple):
    """Somebody went to a payment page (`way` "card"), or gave otherwise; by what they came."""

    at: datetime
    reference: str
    way: str
    person_id: int | None
    article: str
    section: str
    campaign: str


class PollRow(NamedTuple):
    """A poll that was closed, with its people: counted in the roll itself."""

    id: int
    title: str
    closed_at: datetime
    n_roll: int
    n_voted: int


class TopicRow(NamedTuple):
    """A topic that a poll chose, and what became of it."""

    stage: str
    chosen_at: datetime
    published_at: datetime | None
    due_on: date | None
    story_url: str


class ReportRow(NamedTuple):
    """A mistake that a reader reported, and when somebody answered first; spam is none."""

    at: datetime
    answered_at: datetime | None


class DueRow(NamedTuple):
    """A charge that is to come, as Stripe has it. `kind`: monthly, yearly or retry."""

    at: datetime
    kind: str
    currency: str
    minor: int


@dataclass(frozen=True)
class Rows:
    """Everything up to `upto`; `quotes` of one euro by day and currency, as they were published; `paid`: when which
    support was paid, in the order of the books; `stayed`: poll -> who was still a patron, as it was seen at that time.
    """

    upto: datetime
    payments: list[PaymentRow]
    returns: list[ReturnRow]
    fees: list[FeeRow]
    movements: list[MovementRow]
    times: list[TimeRow]
    troubles: list[TroubleRow]
    changes: list[ChangeRow]
    quotes: dict[tuple[date, str], Decimal]
    starts: list[StartRow]
    paid: list[tuple[datetime, str]]
    polls: list[PollRow]
    topics: list[TopicRow]
    reports: list[ReportRow]
    stayed: "dict[int, Stayed]"
    due: list[DueRow]

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
STARTS = "SELECT created_at, reference, way, person_id, attribution FROM contributions ORDER BY id"
PAID = "SELECT paid_at, reference FROM payments ORDER BY id"
POLLS = """
    SELECT p.id, p.title, p.closed_at, count(r.person_id), sum(CASE WHEN r.has_voted THEN 1 ELSE 0 END) FROM polls p
    JOIN roll_entries r ON r.poll_id = p.id WHERE p.state = 'closed' GROUP BY p.id, p.title, p.closed_at
    ORDER BY p.closed_at
"""
TOPICS = "SELECT stage, chosen_at, published_at, due_on, story_url FROM topics WHERE chosen_at IS NOT NULL ORDER BY id"
REPORTS = """
    SELECT r.received_at, r.answered_at, p.state FROM correction_reports r
    JOIN correction_passages p ON p.id = r.passage_id ORDER BY r.id
"""
GRACES = "SELECT person_id, opened_at, until, closed_at FROM graces"


def read(place: Place, lived: "Lived") -> Rows:
    payments = {
        number: PaymentRow(moment_of(at), currency, int(minor), rhythm, way, purpose or "")
        for number, at, currency, minor, rhythm, way, purpose in place.rows(PAYMENTS)
    }
    returns = [ReturnRow(moment_of(at), int(minor), payments[of]) for at, minor, of in place.rows(RETURNS)]
    fees = [FeeRow(moment_of(at), currency, int(minor), kind) for at, currency, minor, kind in place.rows(FEES)]
    movements = [
        MovementRow(moment_of(at), reference, kind, currency, int(yearly), int(cups), cause)
        for at, reference, kind, currency, yearly, cups, cause in place.rows(MOVEMENTS)
    ]
    troubles = [TroubleRow(moment_of(at), currency, int(n), kind) for at, currency, n, kind in place.rows(TROUBLES)]
    changes = [ChangeRow(person, moment_of(start)) for person, start in place.rows(CHANGES)]
    return Rows(
        lived.ended_at, list(payments.values()), returns, fees, movements, times_of(place), troubles, changes,
        lived.quotes, _starts(place), [(moment_of(at), reference) for at, reference in place.rows(PAID)], _polls(place),
        _topics(place), _reports(place), lived.stayed, [DueRow(*each) for each in charges_ahead(place)],
    )  # fmt: skip


def times_of(place: Place) -> list[TimeRow]:
    """Whatever makes anybody a patron: coverage, and days that they keep while a payment is tried again."""
    times = [TimeRow(person, moment_of(start), moment_of(end)) for person, start, end in place.rows(SPANS)]
    for person, opened, until, closed in place.rows(GRACES):
        end = min(moment_of(until), moment_of(closed)) if closed else moment_of(until)
        times.append(TimeRow(person, moment_of(opened), end))
    return times


def _starts(place: Place) -> list[StartRow]:
    found = []
    for at, reference, way, person_id, attribution in place.rows(STARTS):
        said = json.loads(attribution) if isinstance(attribution, str) else attribution or {}
        names = (said.get(key, "") for key in ("article", "section", "utm_campaign"))
        found.append(StartRow(moment_of(at), reference, way, person_id, *names))
    return found


def _polls(place: Place) -> list[PollRow]:
    return [PollRow(number, title, moment_of(at), n, int(voted)) for number, title, at, n, voted in place.rows(POLLS)]


def _topics(place: Place) -> list[TopicRow]:
    return [
        TopicRow(stage, moment_of(chosen), moment_of(published) if published else None, _day(due), url or "")
        for stage, chosen, published, due, url in place.rows(TOPICS)
    ]


def _reports(place: Place) -> list[ReportRow]:
    return [
        ReportRow(moment_of(at), moment_of(answered_at) if answered_at else None)
        for at, answered_at, state in place.rows(REPORTS)
        if state != "spam"
    ]


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def moment_of(value: Any) -> datetime:
    """SQLite keeps moments as text, in UTC."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
