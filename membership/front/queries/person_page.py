"""Everything about one person for the desk. Of everything there may be much of, the newest part and where the rest is:
somebody with ten years of payments costs about what somebody of today does. Never how they voted, nor whether.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import case, inspect, select

from membership.accounts.models import Person, TimelineEntry
from membership.accounts.queries import SessionRow, sessions_of, timeline
from membership.billing.models import PaymentFailure
from membership.billing.queries import failures_of, payments_page, receipts_of
from membership.contributions.models import Contribution, Refund
from membership.contributions.queries import cards_of
from membership.contributions.rules import LIVE
from membership.db import Model, db
from membership.front.models import Tag
from membership.front.queries.kept import tags_of_person
from membership.front.queries.people import SupportView, staff_names, view_support
from membership.gifts.models import Gift
from membership.mail.models import OutboxMail
from membership.mail.queries import mails_to
from membership.patrons.models import CoverageGrant, CoverageSpan
from membership.patrons.queries import standing_of
from membership.patrons.rules import Cause, Standing
from membership.topics.models import Topic
from membership.topics.queries import proposals_of
from membership.transfers.models import KnownPayer
from membership.transfers.queries import Announced, declarations_of

SUPPORTS_SHOWN = 10
PAYMENTS_SHOWN = 12
PAYMENTS_OF_A_PAGE = 50
ENTRIES_SHOWN = 20
ENTRIES_OF_A_PAGE = 50
FEW_SHOWN = 10
# How coverage names the payment that bought it.
PAID_BY = "payment:"

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Part:
    """The newest of something; `next_place` is where the rest begins, "" where this is all."""

    rows: Sequence[object]
    next_place: str


@dataclass(frozen=True, slots=True)
class Cover:
    """A stretch of coverage that is not over, and what bought it: `receipt` for a payment."""

    starts_at: datetime
    ends_at: datetime
    cause: Cause
    receipt: str | None


@dataclass(frozen=True, slots=True)
class PersonView:
    """What the page shows. `reasons` says why each comp was granted, by its cause; `accounts` are the ends of accounts
    that transfers came from; `merged` are the people who turned out to be this one.
    """

    person: Person
    standing: Standing
    covers: Sequence[Cover]
    tags: Sequence[Tag]
    supports: Sequence[SupportView]
    n_supports: int
    payments: Part
    failures: Sequence[PaymentFailure]
    refunds: Sequence[Refund]
    given: Sequence[Gift]
    received: Sequence[Gift]
    comps: Sequence[CoverageGrant]
    reasons: dict[str, str]
    announced: Sequence[Announced]
    accounts: Sequence[str]
    topics: Sequence[Topic]
    sessions: Sequence[SessionRow]
    merged: Sequence[Person]
    mails: Sequence[OutboxMail]
    history: Part
    staff_names: dict[str, str]


def view_person(person: Person, at: datetime) -> PersonView:
    """Everything about one person at `at`."""
    references = references_of(person)
    comps = _newest(CoverageGrant, CoverageGrant.person_id == person.id, CoverageGrant.cause == Cause.COMP.value)
    return PersonView(
        person=person,
        standing=standing_of(person.id, at),
        covers=_covers_of(person.id, at),
        tags=tags_of_person(person.id),
        supports=_supports_of(person.id),
        n_supports=len(references),
        payments=payments_part(references, PAYMENTS_SHOWN),
        failures=failures_of(references, FEW_SHOWN) if references else [],
        refunds=_newest(Refund, Refund.reference.in_(references)) if references else [],
        given=_newest(Gift, Gift.giver_id == person.id),
        received=_newest(Gift, Gift.redeemed_by_id == person.id),
        comps=comps,
        reasons=_reasons_of_comps(person.id) if comps else {},
        announced=declarations_of(person.id)[-FEW_SHOWN:] if references else [],
        accounts=_accounts_of(person.id),
        topics=proposals_of(person.id, FEW_SHOWN),
        sessions=sessions_of(person.id),
        merged=db.session.scalars(select(Person).where(Person.merged_into_id == person.id)).all(),
        mails=[] if person.is_gone else mails_to([person.email], ENTRIES_SHOWN),
        history=history_part(person.id, ENTRIES_SHOWN),
        staff_names=staff_names(),
    )


def references_of(person: Person) -> list[str]:
    """The references of everything that a person ever promised."""
    return list(db.session.scalars(select(Contribution.reference).where(Contribution.person_id == person.id)))


def payments_part(references: Sequence[str], length: int, before: str = "") -> Part:
    """The newest `length` payments (behind the receipt `before`), and the number behind which the others are."""
    rows = payments_page(references, length + 1, before)
    return Part(rows[:length], rows[length - 1].receipt_number if len(rows) > length else "")


def history_part(person_id: int, length: int, before_id: int | None = None) -> Part:
    """The newest `length` entries of the history (behind the entry `before_id`), and where the others begin."""
    rows: Sequence[TimelineEntry] = timeline(person_id, length + 1, before_id)
    return Part(rows[:length], str(rows[length - 1].id) if len(rows) > length else "")


def _supports_of(person_id: int) -> list[SupportView]:
    """What goes on, then the newest of what is over."""
    is_live = case((Contribution.state.in_(LIVE), 0), else_=1)
    query = select(Contribution).where(Contribution.person_id == person_id)
    query = query.order_by(is_live, Contribution.created_at.desc(), Contribution.id.desc())
    rows = db.session.scalars(query.limit(SUPPORTS_SHOWN)).all()
    cards = cards_of([row.id for row in rows]) if rows else {}
    return [view_support(row, cards.get(row.id)) for row in rows]


def _covers_of(person_id: int, at: datetime) -> list[Cover]:
    columns = (CoverageSpan.starts_at, CoverageSpan.ends_at, CoverageGrant.cause, CoverageGrant.cause_ref)
    query = (
        select(*columns)
        .join(CoverageGrant, CoverageGrant.id == CoverageSpan.grant_id)
        .where(CoverageSpan.person_id == person_id, CoverageSpan.ends_at > at)
        .order_by(CoverageSpan.starts_at, CoverageSpan.id)
    )
    rows = db.session.execute(query.limit(FEW_SHOWN)).all()
    receipts = receipts_of([ref.removeprefix(PAID_BY) for *_, ref in rows if ref.startswith(PAID_BY)])
    return [Cover(start, end, Cause(cause), receipts.get(ref.removeprefix(PAID_BY))) for start, end, cause, ref in rows]


def _reasons_of_comps(person_id: int) -> dict[str, str]:
    mine = (TimelineEntry.person_id == person_id) & (TimelineEntry.kind == "comp_granted")
    rows = db.session.scalars(select(TimelineEntry.details).where(mine))
    return {str(details.get("comp")): str(details.get("reason", "")) for details in rows}


def _accounts_of(person_id: int) -> list[str]:
    mine = (KnownPayer.person_id == person_id, KnownPayer.account_end.is_not(None))
    query = select(KnownPayer.account_end).where(*mine).distinct().order_by(KnownPayer.account_end)
    return [end for end in db.session.scalars(query) if end]


def _newest(model: type[Row], *conditions: Any) -> Sequence[Row]:
    newest_first = inspect(model).primary_key[0].desc()
    return db.session.scalars(select(model).where(*conditions).order_by(newest_first).limit(FEW_SHOWN)).all()
