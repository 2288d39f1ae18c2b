"""What the desk shows of people: who is found, and everything about one of them, read from the rooms below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, or_, select

from membership.accounts.models import Person, StaffMember, TimelineEntry
from membership.accounts.queries import timeline
from membership.billing.models import Payment, PaymentFailure
from membership.billing.queries import PaymentRow, failures_of, payments_of
from membership.contributions.models import Card, Contribution, Refund
from membership.contributions.queries import cards_of, list_shared_cards, list_shared_customers, refunds_of
from membership.contributions.rules import LIVE, Action, State, Who, actions_of
from membership.contributions.rules.failing import may_be_paid_now
from membership.db import db
from membership.gifts.models import Gift
from membership.gifts.queries import given_by, received_by
from membership.kernel.errors import NotFound
from membership.mail.models import OutboxMail
from membership.mail.queries import mails_to
from membership.patrons.models import CoverageGrant, CoverageSpan, Grace
from membership.patrons.queries import comps_of, standing_of
from membership.patrons.rules import Standing

PAGE_LENGTH = 25
LAST_PAGE = 1000
TIMELINE_LENGTH = 100
MAILS_SHOWN = 40
LONGEST_SEARCH = 120
# What is tried again is open; what the provider stopped trying is lapsed, and can be paid for a while all the same.
IN_TROUBLE = (*LIVE, State.LAPSED)


class Which(StrEnum):
    """Filters of the list of people."""

    ALL = "all"
    PATRON = "patron"
    TROUBLE = "trouble"
    LAPSED = "lapsed"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of people with their standing, newest first; `has_more`: there is another page."""

    rows: Sequence[tuple[Person, Standing]]
    has_more: bool


def search(text: str, which: Which, page: int, at: datetime) -> Found:
    """People by address, name, reference of a contribution or a gift, or number of a receipt; "" finds everybody.

    `page` counts from 1. A part of an address or a name is enough.
    """
    query = select(Person).where(_matches(text.strip()[:LONGEST_SEARCH]), _is(which, at))
    start = (min(max(page, 1), LAST_PAGE) - 1) * PAGE_LENGTH
    rows = db.session.scalars(query.order_by(Person.id.desc()).offset(start).limit(PAGE_LENGTH + 1)).all()
    return Found([(row, standing_of(row.id, at)) for row in rows[:PAGE_LENGTH]], len(rows) > PAGE_LENGTH)


def _matches(text: str) -> ColumnElement[bool]:
    if not text:
        return Person.id.is_not(None)
    payers = select(Contribution.person_id).where(
        or_(
            Contribution.reference == text,
            Contribution.reference.in_(select(Payment.reference).where(Payment.receipt_number == text)),
        )
    )
    receivers = select(Gift.redeemed_by_id).where(or_(Gift.public_id == text, Gift.reference == text))
    givers = select(Gift.giver_id).where(Gift.public_id == text)
    return or_(
        Person.public_id == text,
        Person.email.contains(text.lower(), autoescape=True),
        func.lower(Person.public_name).contains(text.lower(), autoescape=True),
        Person.public_name.contains(text, autoescape=True),
        Person.id.in_(payers),
        Person.id.in_(receivers),
        Person.id.in_(givers),
    )


def _is(which: Which, at: datetime) -> ColumnElement[bool]:
    match which:
        case Which.PATRON:
            return _is_patron(at)
        case Which.TROUBLE:
            return Person.id.in_(select(Contribution.person_id).where(_has_failed()))
        case Which.LAPSED:
            was = exists().where(CoverageSpan.person_id == Person.id, CoverageSpan.ends_at <= at)
            return was & ~_is_patron(at)
        case Which.FLAGGED:
            return _is_flagged()
    return Person.id.is_not(None)


def _is_patron(at: datetime) -> ColumnElement[bool]:
    covered = exists().where(
        CoverageSpan.person_id == Person.id, CoverageSpan.starts_at <= at, CoverageSpan.ends_at > at
    )
    graced = exists().where(Grace.person_id == Person.id, Grace.closed_at.is_(None), Grace.until > at)
    return or_(covered, graced)


def _has_failed() -> ColumnElement[bool]:
    is_open = Contribution.failed_at.is_not(None) | (Contribution.state == State.PAST_DUE)
    return is_open & Contribution.state.in_(IN_TROUBLE)


def _is_flagged() -> ColumnElement[bool]:
    """Two supports at once, one card or account of two people, or a warning of fraud: somebody should look."""
    doubled = (
        select(Contribution.person_id)
        .where(Contribution.person_id.is_not(None), Contribution.state.in_(LIVE))
        .group_by(Contribution.person_id)
        .having(func.count() > 1)
    )
    sharing = {person_id for group in (*list_shared_customers(), *list_shared_cards()) for person_id in group}
    warned = select(Contribution.person_id).where(Contribution.warned_at.is_not(None))
    return or_(Person.id.in_(doubled), Person.id.in_(sharing), Person.id.in_(warned))


@dataclass(frozen=True, slots=True)
class SupportView:
    """One contribution with what staff may do about it, the card it is charged with, and what is wrong."""

    row: Contribution
    actions: tuple[Action, ...]
    card: Card | None
    is_failing: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """Everything that the desk shows of a person. `reasons` says why each comp was granted, by its cause."""

    person: Person
    standing: Standing
    supports: Sequence[SupportView]
    payments: Sequence[PaymentRow]
    failures: Sequence[PaymentFailure]
    refunds: Sequence[Refund]
    given: Sequence[Gift]
    received: Sequence[Gift]
    comps: Sequence[CoverageGrant]
    reasons: dict[str, str]
    mails: Sequence[OutboxMail]
    timeline: Sequence[TimelineEntry]
    staff_names: dict[str, str]

    def way_of(self, payment: PaymentRow) -> str:
        """How a payment came; "card" is whatever goes through the payment company."""
        return next(support.row.way for support in self.supports if support.row.reference == payment.reference)


def get_person_by_public_id(public_id: str) -> Person:
    """The person of that name; NotFound."""
    person = db.session.scalar(select(Person).where(Person.public_id == public_id))
    if person is None:
        raise NotFound("no_person", "There is no such person.")
    return person


def view_person(person: Person, at: datetime) -> PersonView:
    """Everything about one person at `at`."""
    mine = _supports_of(person.id)
    references = [row.reference for row in mine]
    cards = cards_of([row.id for row in mine])
    entries = timeline(person.id, TIMELINE_LENGTH)
    return PersonView(
        person=person,
        standing=standing_of(person.id, at),
        supports=[_view_support(row, cards.get(row.id)) for row in mine],
        payments=payments_of(references),
        failures=failures_of(references),
        refunds=refunds_of(references),
        given=given_by(person.id),
        received=received_by(person.id),
        comps=comps_of(person.id),
        reasons=_reasons_of_comps(person.id),
        mails=mails_to([person.email], MAILS_SHOWN) if person.email else [],
        timeline=entries,
        staff_names=_staff_names(),
    )


def get_support(person: Person, reference: str) -> SupportView:
    """One contribution of this person; NotFound for anybody else's."""
    row = next((row for row in _supports_of(person.id) if row.reference == reference), None)
    if row is None:
        raise NotFound("no_such_contribution", "There is no such contribution.")
    return _view_support(row, cards_of([row.id]).get(row.id))


def get_payment(person: Person, number: str) -> PaymentRow:
    """One payment of this person by the number of its receipt; NotFound for anybody else's."""
    payments = payments_of([row.reference for row in _supports_of(person.id)])
    found = next((payment for payment in payments if payment.receipt_number == number), None)
    if found is None:
        raise NotFound("receipt_not_found", "There is no such receipt.")
    return found


def _supports_of(person_id: int) -> Sequence[Contribution]:
    query = select(Contribution).where(Contribution.person_id == person_id)
    return db.session.scalars(query.order_by(Contribution.created_at.desc(), Contribution.id.desc())).all()


def _view_support(row: Contribution, card: Card | None) -> SupportView:
    state = State(row.state)
    offered = actions_of(state, Who.STAFF) if row.way == "card" else ()
    is_failing = may_be_paid_now(state, row.failed_at, row.ends_at)
    return SupportView(row, offered, card, is_failing)


def _reasons_of_comps(person_id: int) -> dict[str, str]:
    mine = (TimelineEntry.person_id == person_id) & (TimelineEntry.kind == "comp_granted")
    rows = db.session.scalars(select(TimelineEntry.details).where(mine))
    return {str(details.get("comp")): str(details.get("reason", "")) for details in rows}


def _staff_names() -> dict[str, str]:
    """How the timeline names each member of staff: "staff:<public id>" -> name."""
    rows = db.session.execute(
        select(Person.public_id, StaffMember.name).join(StaffMember, StaffMember.person_id == Person.id)
    )
    return {f"staff:{public_id}": name for public_id, name in rows}
