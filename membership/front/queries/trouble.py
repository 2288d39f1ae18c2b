"""The desk of failed payments: whose are open now, why, and what happens next."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from membership.accounts.models import Person
from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE, Action, State, Who, actions_of
from membership.contributions.rules.failing import UNPAID_LASTS, WORDS_OF, Why, why_it_failed
from membership.db import db
from membership.kernel.errors import NotFound
from membership.kernel.money import Money
from membership.patrons.models import Grace
from membership.web.sorting import Sort

PAGE_LENGTH = 25
LAST_PAGE = 1000
COLUMNS = ("who", "amount", "since", "until", "next")


class Next(StrEnum):
    """What happens next by itself."""

    RETRY = "retry"
    NOTHING = "nothing"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A payment that failed and is still open: whose, how much, why, and until when they stay a patron.

    `payable_until` says, once the provider has stopped trying, until when it can still be paid.
    """

    person: Person
    row: Contribution
    why: Why
    next: Next
    actions: tuple[Action, ...]
    grace_until: datetime | None

    @property
    def amount(self) -> Money:
        """What could not be taken."""
        return self.row.charge

    @property
    def payable_until(self) -> datetime | None:
        """From then on the provider is told to drop it; None while it is tried again."""
        if self.next is not Next.LAPSED or self.row.failed_at is None:
            return None
        return self.row.state_at + UNPAID_LASTS


@dataclass(frozen=True, slots=True)
class Found:
    """One page of them, whether there are more, and how many there are by cause and by what happens next."""

    rows: list[Trouble]
    has_more: bool
    n: int
    n_by_why: Counter[Why]
    n_by_next: Counter[Next]


def _failing() -> Select[Any]:
    """Ids of supports with an open failure. Two reads that each have their index, whatever else the table holds."""
    # As an expression, or SQLite looks through all that runs by the index of states, to find the few that failed.
    state = func.coalesce(Contribution.state, "")
    failed = select(Contribution.id).where(Contribution.failed_at.is_not(None), state.in_((*LIVE, State.LAPSED)))
    late = select(Contribution.id).where(Contribution.state == State.PAST_DUE)
    return select(failed.union(late).subquery())


_IS_LAPSED = Contribution.state == State.LAPSED
_HAS_TRY = Contribution.next_try_at.is_not(None)
_NEXT: dict[Next, ColumnElement[bool]] = {
    Next.RETRY: and_(_HAS_TRY, ~_IS_LAPSED),
    Next.NOTHING: and_(~_HAS_TRY, ~_IS_LAPSED),
    Next.LAPSED: _IS_LAPSED,
}
_SORTED: dict[str, Callable[[], tuple[Any, ...]]] = {
    "who": lambda: (func.coalesce(func.lower(Person.public_name), Person.email),),
    "amount": lambda: (Contribution.currency, Contribution.charge_minor),
    "since": lambda: (Contribution.failed_at,),
    "until": lambda: (func.max(Grace.until),),
    "next": lambda: (Contribution.next_try_at,),
}


def _is(why: Why | None) -> ColumnElement[bool]:
    must_act = func.coalesce(Contribution.needs_action, False).is_(True)
    reason = func.coalesce(Contribution.failure_reason, "")
    if why is None:
        return true()
    if why is Why.UNKNOWN:
        return ~must_act & reason.not_in(frozenset().union(*WORDS_OF.values()))
    says_so = reason.in_(WORDS_OF[why])
    return or_(must_act, says_so) if why is Why.CONFIRM else ~must_act & says_so


def list_trouble(why: Why | None, what_next: Next | None, sort: Sort, page: int) -> Found:
    """Failed payments that are open now, of one cause and one future (None: of all), in the order of `sort`.

    Pages count from 1. Rows without a value (no try ahead) come last, whichever way round.
    """
    chosen = and_(_is(why), _NEXT[what_next] if what_next else true())
    keys = [key.desc() if sort.is_descending else key for key in _SORTED[sort.column]()]
    last = _SORTED[sort.column]()[-1].is_(None)
    query = (
        select(Contribution, Person, func.max(Grace.until))
        .join(Person, Person.id == Contribution.person_id)
        .outerjoin(Grace, (Grace.reference == Contribution.reference) & Grace.closed_at.is_(None))
        .where(Contribution.id.in_(_failing()), chosen)
        .group_by(Contribution.id, Person.id)
        .order_by(last, *keys, Contribution.id)
    )
    start = (min(max(page, 1), LAST_PAGE) - 1) * PAGE_LENGTH
    rows = db.session.execute(query.offset(start).limit(PAGE_LENGTH + 1)).all()
    found = [_trouble(row, person, until) for row, person, until in rows[:PAGE_LENGTH]]
    by_why, by_next = _count()
    return Found(found, len(rows) > PAGE_LENGTH, by_why.total(), by_why, by_next)


def _count() -> tuple[Counter[Why], Counter[Next]]:
    marks = (Contribution.failure_reason, Contribution.needs_action, _HAS_TRY, _IS_LAPSED)
    query = select(*marks, func.count()).where(Contribution.id.in_(_failing()), Contribution.person_id.is_not(None))
    by_why: Counter[Why] = Counter()
    by_next: Counter[Next] = Counter()
    for reason, needs_action, has_try, is_lapsed, n in db.session.execute(query.group_by(*marks)):
        by_why[why_it_failed(reason, needs_action=bool(needs_action))] += n
        by_next[_what_next(has_try=bool(has_try), is_lapsed=bool(is_lapsed))] += n
    return by_why, by_next


def _what_next(*, has_try: bool, is_lapsed: bool) -> Next:
    if is_lapsed:
        return Next.LAPSED
    return Next.RETRY if has_try else Next.NOTHING


def _trouble(row: Contribution, person: Person, until: datetime | None) -> Trouble:
    return Trouble(
        person=person,
        row=row,
        why=why_it_failed(row.failure_reason, needs_action=bool(row.needs_action)),
        next=_what_next(has_try=row.next_try_at is not None, is_lapsed=row.state == State.LAPSED),
        actions=actions_of(State(row.state), Who.STAFF) if row.way == "card" else (),
        grace_until=until,
    )


def get_trouble(reference: str) -> Trouble:
    """The open failure of one support; NotFound where nothing is open, or nobody is behind it."""
    query = (
        select(Contribution, Person, func.max(Grace.until))
        .join(Person, Person.id == Contribution.person_id)
        .outerjoin(Grace, (Grace.reference == Contribution.reference) & Grace.closed_at.is_(None))
        .where(Contribution.reference == reference, Contribution.id.in_(_failing()))
        .group_by(Contribution.id, Person.id)
    )
    found = db.session.execute(query).one_or_none()
    if found is None:
        raise NotFound("nothing_open", "Nothing is open here: there is no failed payment.")
    return _trouble(*found)


def n_in_trouble() -> int:
    """How many supports have a failed payment that is open now."""
    count = select(func.count()).select_from(_failing().subquery())
    return db.session.scalar(count) or 0
