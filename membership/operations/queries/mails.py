"""What the desk shows of the outbox: mails that wait, failed, were sent, and what can be done about one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from membership.accounts.models import Person
from membership.accounts.rules import masked
from membership.db import db
from membership.kernel.errors import NotFound
from membership.mail.models import DEAD, DROPPED, SENDING, SENT, WAITING, OutboxMail
from membership.mail.services import TEST
from membership.operations.models import Intervention
from membership.operations.queries.notices import interventions

PAGE_LENGTH = 30
# What a filter finds: a word of the address -> its states.
SHOWN: dict[str, tuple[str, ...]] = {
    "dead": (DEAD,),
    "failing": (WAITING,),
    "waiting": (WAITING, SENDING),
    "sent": (SENT,),
    "dropped": (DROPPED,),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One mail and to whom it goes: the person of its address; None where nobody here has it (any more).

    `to` is the address as staff may see it: whole where it is a person's, else masked; None once it was forgotten.
    """

    row: OutboxMail
    person: Person | None

    @property
    def to(self) -> str | None:
        """The address."""
        if self.row.to_address is None or self.person is not None:
            return self.row.to_address
        return masked(self.row.to_address)

    @property
    def is_test(self) -> bool:
        """Whether it was asked for in the catalogue."""
        return TEST in self.row.args

    @property
    def is_stuck(self) -> bool:
        """Whether staff may have it tried again, or let it be."""
        return self.row.state in {DEAD, WAITING} and self.row.to_address is not None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of mails, newest first; `older` is the id of its last one where older ones follow."""

    rows: Sequence[Line]
    older: int | None


def search(shown: str, kind: str, before: int | None) -> Found:
    """Mails of one filter (a key of SHOWN; "": all) and one kind ("": all), newest first, below the id `before`."""
    query = select(OutboxMail, Person).outerjoin(Person, Person.email == OutboxMail.to_address)
    query = query.where(*_conditions(shown, kind))
    if before is not None:
        query = query.where(OutboxMail.id < before)
    rows = db.session.execute(query.order_by(OutboxMail.id.desc()).limit(PAGE_LENGTH + 1)).all()
    lines = [Line(row, person) for row, person in rows[:PAGE_LENGTH]]
    return Found(lines, lines[-1].row.id if len(rows) > PAGE_LENGTH else None)


def _conditions(shown: str, kind: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if shown:
        states = SHOWN[shown]
        conditions.append(OutboxMail.state == states[0] if len(states) == 1 else OutboxMail.state.in_(states))
    if shown == "failing":
        conditions.append(OutboxMail.failure.is_not(None))
    if kind:
        conditions.append(OutboxMail.kind == kind)
    return conditions


def count_stuck() -> dict[str, int]:
    """How many mails are given up ("dead"), wait ("waiting"), and wait after a try that failed ("failing")."""
    failing = OutboxMail.failure.is_not(None)
    rows = db.session.execute(
        select(OutboxMail.state, failing, func.count())
        .where(OutboxMail.state.in_((DEAD, WAITING, SENDING)))
        .group_by(OutboxMail.state, failing)
    ).all()
    return {
        "dead": sum(n for state, _failed, n in rows if state == DEAD),
        "waiting": sum(n for state, _failed, n in rows if state != DEAD),
        "failing": sum(n for state, failed, n in rows if state == WAITING and failed),
    }


def get_mail(outbox_id: int) -> tuple[Line, Sequence[Intervention]]:
    """One mail, and what staff did about it, newest first; NotFound."""
    query = select(OutboxMail, Person).outerjoin(Person, Person.email == OutboxMail.to_address)
    found = db.session.execute(query.where(OutboxMail.id == outbox_id)).one_or_none()
    if found is None:
        raise NotFound("no_mail", "There is no such mail.")
    return Line(*found), interventions("mail", str(outbox_id))


def preview_dead(until: datetime) -> tuple[int, list[tuple[str, str, int]]]:
    """Mails given up until a moment (business time) that could be tried again: how many, and (error, kind, how many)
    for each cause, most first.
    """
    rows = db.session.execute(
        select(OutboxMail.last_error, OutboxMail.kind, func.count())
        .where(OutboxMail.state == DEAD, OutboxMail.done_at <= until, OutboxMail.to_address.is_not(None))
        .group_by(OutboxMail.last_error, OutboxMail.kind)
    ).all()
    causes = sorted(((error or "", kind, n) for error, kind, n in rows), key=lambda cause: (-cause[2], cause))
    return sum(n for *_rest, n in causes), causes
