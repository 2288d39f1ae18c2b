"""A statement is read in: every gift in it becomes a line, once, however often and however cut it comes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.audit.rules import COMMAND
from membership.audit.services import record
from membership.db import db, hint, is_sqlite, transaction
from membership.kernel import ids
from membership.newsroom.queries import all_accounts, day_of
from membership.transfers.models import StatementLine
from membership.transfers.services import booking, matching
from membership.transfers.statements import Kind, Line, Mapping, Statement, identities, read
from membership.web import settings

# So many lines are written in one statement: SQLite takes 32,766 values.
AT_A_TIME = 500
# So many are looked at and booked while the reader of the statement waits; the worker does the rest within a minute.
BOOKED_AT_ONCE = 200


@dataclass(slots=True)
class Report:
    """What became of a file. `n_lines` are its gifts and returns; `n_known` of them were read in before, `n_new` not;
    `n_left` are other movements, which are none of our business and are not kept. Of the new ones `n_booked` were
    booked at once; `n_open` wait for a person. `notes` are sentences. Of a trial run only the first four are filled.
    `is_in_work`: there are so many new ones that the worker finds out whose they may be, and books what is certain.
    """

    n_lines: int = 0
    n_new: int = 0
    n_known: int = 0
    n_left: int = 0
    n_booked: int = 0
    n_open: int = 0
    notes: list[str] = field(default_factory=list)
    is_in_work: bool = False


def read_in(
    raw: bytes, mapping: Mapping | None, at: datetime, *, actor: str = COMMAND, is_trial: bool = False
) -> Report:
    """Read a file (camt.053, or a table by `mapping`), write down its new lines, book what is certain.

    `actor` is as in the audit log. With `is_trial` nothing is written. Raises UnreadableStatement; then nothing was
    written either.
    """
    report = Report()
    rows: dict[str, dict[str, Any]] = {}
    for statement in read(raw, mapping, day_of(at)):
        report.notes += [*statement.notes, *_of_another_account(statement)]
        for identity, line in identities(statement):
            if line.kind is Kind.DEBIT and not _names_a_booking(line):
                report.n_left += 1
                continue
            rows[identity] = _row(statement, identity, line, at)
    report.n_lines = len(rows)
    if is_trial:
        report.n_new = len(rows) - _n_known(list(rows))
    else:
        fresh = _write(list(rows.values()), actor)
        report.n_new = len(fresh)
        _book(fresh, at, report)
    report.n_known = report.n_lines - report.n_new
    return report


def _book(fresh: list[int], at: datetime, report: Report) -> None:
    if len(fresh) <= BOOKED_AT_ONCE:
        matching.suggest(fresh)
        if booking.book_certain(at, BOOKED_AT_ONCE):
            # What is booked may show an account, and answers an announcement: then others look different.
            matching.suggest(fresh)
            booking.book_certain(at, BOOKED_AT_ONCE)
    report.is_in_work = len(fresh) > BOOKED_AT_ONCE
    hint("transfers.book_certain")
    states = [state for part in _parts(fresh) for state in _states(part)]
    report.n_booked, report.n_open = states.count("booked"), states.count("new") + states.count("suggested")


def _write(rows: list[dict[str, Any]], actor: str) -> list[int]:
    """The ids of those rows that were not there yet; two imports at once share them out between them."""
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    fresh: list[int] = []
    with transaction("transfers.import"):
        # In one order for everybody, so that two imports at once wait for each other and never in a ring.
        rows = sorted(rows, key=lambda row: str(row["identity"]))
        for part in _parts(rows):
            statement = insert(StatementLine).values(part).on_conflict_do_nothing(index_elements=["identity"])
            fresh += db.session.scalars(statement.returning(StatementLine.id)).all()
        done = {"n_lines": len(rows), "n_new": len(fresh)}
        record("statement.imported", ("statement", rows[0]["source"] if rows else "none"), actor=actor, after=done)
    return sorted(fresh)


def _row(statement: Statement, identity: str, line: Line, at: datetime) -> dict[str, Any]:
    return {
        "identity": identity,
        "way": statement.way,
        "source": statement.source,
        "kind": "return" if line.kind is Kind.DEBIT else line.kind.value,  # one that names a booking takes it back
        "booked_on": line.booked_on,
        "amount_minor": line.amount.minor,
        "currency": line.amount.currency,
        "fee_minor": line.fee.minor if line.fee else 0,
        "is_odd": line.is_odd,
        "linked_digest": linked_digest(line.linked_id) if line.linked_id else None,
        "account_digest": account_digest(line.account) if line.account else None,
        "payer_name": line.name or None,
        "payer_account": line.account or None,
        "remittance": line.text or None,
        "state": "new",
        "is_certain": False,
        "n_bookings": 0,
        "imported_at": at,
    }


def account_digest(account: str) -> str:
    """The name under which a payer's account is known again; without our key nobody can guess it back."""
    return ids.keyed_digest(settings().secret_key.get_secret_value(), "payer account", account)


def linked_digest(linked_id: str) -> str:
    """The same for the id by which a gift and its return name each other."""
    return ids.keyed_digest(settings().secret_key.get_secret_value(), "linked movement", linked_id)


def _names_a_booking(line: Line) -> bool:
    """Whether money that left names one of our bookings: by the bank's id with the same amount, or by our code."""
    digest = linked_digest(line.linked_id) if line.linked_id else None
    return matching.find_returned(digest, line.amount, line.booked_on) is not None or matching.names_a_code(line.text)


def _of_another_account(statement: Statement) -> list[str]:
    own = all_accounts()
    if statement.way != "bank" or not own or not statement.account or statement.account.upper() in own:
        return []
    return [f"This statement is of another account than the newsroom's: its number ends in {statement.account[-4:]}."]


def _n_known(identities_: list[str]) -> int:
    known = StatementLine.identity
    return sum(len(db.session.scalars(select(known).where(known.in_(part))).all()) for part in _parts(identities_))


def _states(line_ids: list[int]) -> list[str]:
    return list(db.session.scalars(select(StatementLine.state).where(StatementLine.id.in_(line_ids))))


def _parts(items: list[Any]) -> Iterator[list[Any]]:
    return (items[first : first + AT_A_TIME] for first in range(0, len(items), AT_A_TIME))
