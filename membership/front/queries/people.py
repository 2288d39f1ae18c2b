"""What the desk shows of people beside the list: one of them by name, one support or payment of theirs, and whose
payments fail now. Everything about one person: `person_page`; the list: `listing`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from membership.accounts.models import Person, StaffMember
from membership.billing.queries import PaymentRow, get_receipt
from membership.contributions.models import Card, Contribution
from membership.contributions.queries import cards_of
from membership.contributions.rules import Action, State, Who, actions_of
from membership.contributions.rules.failing import may_be_paid_now
from membership.db import db
from membership.front.queries.listing.conditions import has_failed
from membership.kernel.errors import NotFound
from membership.kernel.money import Money
from membership.patrons.models import Grace

PAGE_LENGTH = 25
LAST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class SupportView:
    """One contribution with what staff may do about it, the card it is charged with, and what is wrong."""

    row: Contribution
    actions: tuple[Action, ...]
    card: Card | None
    is_failing: bool


def get_person_by_public_id(public_id: str) -> Person:
    """The person of that name; NotFound."""
    person = db.session.scalar(select(Person).where(Person.public_id == public_id))
    if person is None:
        raise NotFound("no_person", "There is no such person.")
    return person


def get_support(person: Person, reference: str) -> SupportView:
    """One contribution of this person; NotFound for anybody else's."""
    mine = (Contribution.reference == reference) & (Contribution.person_id == person.id)
    row = db.session.scalar(select(Contribution).where(mine))
    if row is None:
        raise NotFound("no_such_contribution", "There is no such contribution.")
    return view_support(row, cards_of([row.id]).get(row.id))


def get_payment(person: Person, number: str) -> PaymentRow:
    """One payment of this person by the number of its receipt; NotFound for anybody else's."""
    payment = get_receipt(number)
    mine = (Contribution.reference == payment.reference) & (Contribution.person_id == person.id)
    if db.session.scalar(select(Contribution.id).where(mine)) is None:
        raise NotFound("receipt_not_found", "There is no such receipt.")
    return payment


def view_support(row: Contribution, card: Card | None) -> SupportView:
    """What staff may do about a contribution as it stands now."""
    state = State(row.state)
    offered = actions_of(state, Who.STAFF) if row.way == "card" else ()
    is_failing = may_be_paid_now(state, row.failed_at, row.ends_at)
    return SupportView(row, offered, card, is_failing)


def staff_names() -> dict[str, str]:
    """How histories name each member of staff: "staff:<public id>" -> name."""
    rows = db.session.execute(
        select(Person.public_id, StaffMember.name).join(StaffMember, StaffMember.person_id == Person.id)
    )
    return {f"staff:{public_id}": name for public_id, name in rows}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A payment that failed and is still open: whose, how much, since when, and until when they stay a patron."""

    person: Person
    support: SupportView
    amount: Money
    grace_until: datetime | None


def list_trouble(page: int) -> tuple[list[Trouble], bool]:
    """Failed payments that are open now, oldest first, one page of them; and whether there are more."""
    query = (
        select(Contribution, Person, func.max(Grace.until))
        .join(Person, Person.id == Contribution.person_id)
        .outerjoin(Grace, (Grace.reference == Contribution.reference) & Grace.closed_at.is_(None))
        .where(has_failed())
        .group_by(Contribution.id, Person.id)
        .order_by(Contribution.failed_at, Contribution.id)
    )
    start = (min(max(page, 1), LAST_PAGE) - 1) * PAGE_LENGTH
    rows = db.session.execute(query.offset(start).limit(PAGE_LENGTH + 1)).all()
    cards = cards_of([row.id for row, _person, _until in rows])
    found = [
        Trouble(person, view_support(row, cards.get(row.id)), row.charge, until)
        for row, person, until in rows[:PAGE_LENGTH]
    ]
    return found, len(rows) > PAGE_LENGTH


def n_in_trouble() -> int:
    """How many supports have a failed payment that is open now."""
    return db.session.scalar(select(func.count()).select_from(Contribution).where(has_failed())) or 0
