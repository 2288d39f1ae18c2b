"""What the desk shows of the inbox: notices that are looked for, and everything about one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import ColumnElement, TextClause, func, or_, select, text, tuple_
from sqlalchemy.orm import defer

from membership.billing.models import SET_ASIDE, InboxEvent
from membership.billing.port import ObjectKind
from membership.db import db
from membership.kernel.errors import NotFound
from membership.operations.models import Intervention
from membership.operations.queries.days import bounds_of

PAGE_LENGTH = 30
MOST_RELATED = 20
STATES = ("dead", "waiting", "received", "done", "foreign", "ignored", "deferred")
ASIDE = frozenset({"dead", "foreign", "ignored", "deferred"})
# To the letter as the index says it, or SQLite does not see that it fits.
_IS_ASIDE = text(f"({SET_ASIDE})")
# For "is not empty" SQLite would read the whole table; for "later than this" it takes the index.
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
OPEN = frozenset({"received", "waiting"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; "" and None find everything. `text` is the id of a notice or of its object; `type` is a type
    or, with a point at its end, the beginning of some: "invoice."; `day` is one of the newsroom.
    """

    text: str = ""
    type: str = ""
    state: str = ""
    day: date | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is looked for."""
        return not (self.text or self.type or self.state or self.day)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of notices, newest first; `older` is the id of its last one where older ones follow."""

    rows: Sequence[InboxEvent]
    older: str | None


def search(wanted: Wanted, before: str | None) -> Found:
    """Notices by when they came, newest first; those after the notice `before` of a list like this one.

    The bodies are not read.
    """
    query = select(InboxEvent).options(defer(InboxEvent.body), defer(InboxEvent.traceback))
    query = query.where(*_conditions(wanted))
    mark = db.session.get(InboxEvent, before) if before else None
    if mark is not None:
        query = query.where(tuple_(InboxEvent.received_at, InboxEvent.id) < (mark.received_at, mark.id))
    query = query.order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc()).limit(PAGE_LENGTH + 1)
    rows = db.session.scalars(query).all()
    return Found(rows[:PAGE_LENGTH], rows[PAGE_LENGTH - 1].id if len(rows) > PAGE_LENGTH else None)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool] | TextClause]:
    conditions: list[ColumnElement[bool] | TextClause] = []
    if wanted.text:
        conditions.append(or_(InboxEvent.id == wanted.text, InboxEvent.object_id == wanted.text))
    if wanted.type.endswith("."):
        conditions.append(InboxEvent.type.startswith(wanted.type, autoescape=True))
    elif wanted.type:
        conditions.append(InboxEvent.type == wanted.type)
    if wanted.state in OPEN:  # these alone have a turn, and an index of it
        conditions += [InboxEvent.next_try_at > _EVER, InboxEvent.state == wanted.state]
    elif wanted.state:
        conditions.append(InboxEvent.state == wanted.state)
        if wanted.state in ASIDE:
            conditions.append(_IS_ASIDE)
    if wanted.day:
        begin, end = bounds_of(wanted.day)
        conditions.append((InboxEvent.received_at >= begin) & (InboxEvent.received_at < end))
    return conditions


def count_stuck() -> dict[str, int]:
    """How many notices are "dead", "waiting" or "received" now; few in life, and so quickly counted."""
    dead = select(func.count()).where(InboxEvent.state == "dead", _IS_ASIDE)
    rows = db.session.execute(
        select(InboxEvent.state, func.count()).where(InboxEvent.next_try_at > _EVER).group_by(InboxEvent.state)
    )
    return {"dead": db.session.scalar(dead) or 0, **{state: n for state, n in rows}}  # noqa: C416 - as in billing


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice with its body as people can read it (None: emptied), others about the same thing, newest first, and
    what staff did about it.
    """

    row: InboxEvent
    body: str | None
    related: Sequence[InboxEvent]
    interventions: Sequence[Intervention]

    @property
    def can_be_read(self) -> bool:
        """Whether it names something that can be read again."""
        return is_readable(self.row)


def is_readable(row: InboxEvent) -> bool:
    """Whether a notice names something that can be read again at the provider."""
    return bool(row.object_id) and row.object_kind in set(ObjectKind)


def get_notice(event_id: str) -> Notice:
    """Everything about one notice; NotFound."""
    row = db.session.get(InboxEvent, event_id)
    if row is None:
        raise NotFound("no_notice", "There is no such notice.")
    same = (InboxEvent.object_id == row.object_id) & (InboxEvent.id != row.id)
    related = select(InboxEvent).options(defer(InboxEvent.body), defer(InboxEvent.traceback)).where(same)
    related = related.order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc()).limit(MOST_RELATED)
    return Notice(
        row=row,
        body=None if row.body is None else pretty(row.body),
        related=db.session.scalars(related).all() if row.object_id else [],
        interventions=interventions("notice", row.id),
    )


def pretty(body: bytes) -> str:
    """JSON with its lines and indents; what is no JSON stays as it came."""
    said = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(said), indent=2, ensure_ascii=False)
    except ValueError:
        return said


def interventions(what: str, subject: str) -> Sequence[Intervention]:
    """What staff did about one thing (`what` is "notice" or "mail"), newest first."""
    kinds = ("notice_again",) if what == "notice" else ("mail_again", "mail_let_be")
    query = select(Intervention).where(Intervention.subject == subject, Intervention.kind.in_(kinds))
    return db.session.scalars(query.order_by(Intervention.id.desc())).all()


@dataclass(frozen=True, slots=True)
class Dead:
    """The notices that were given up, for the preview of working all of them off again.

    `by_cause`: (error, type, how many), most first; `n` of them in all, of which `n_readable` can be read again.
    """

    n: int
    n_readable: int
    by_cause: list[tuple[str, str, int]]


def preview_dead(until: datetime) -> Dead:
    """What would be taken up: notices given up until a moment (business time)."""
    rows = db.session.execute(
        select(InboxEvent.last_error, InboxEvent.type, InboxEvent.object_kind, func.count())
        .where(InboxEvent.state == "dead", InboxEvent.done_at <= until, _IS_ASIDE)
        .group_by(InboxEvent.last_error, InboxEvent.type, InboxEvent.object_kind)
    ).all()
    known = set(ObjectKind)
    by_cause: dict[tuple[str, str], int] = {}
    for error, type_, _kind, n in rows:
        by_cause[error or "", type_] = by_cause.get((error or "", type_), 0) + n
    causes = [(error, type_, n) for (error, type_), n in by_cause.items()]
    return Dead(
        n=sum(n for *_rest, n in rows),
        n_readable=sum(n for _error, _type, kind, n in rows if kind in known),
        by_cause=sorted(causes, key=lambda cause: (-cause[2], cause)),
    )
