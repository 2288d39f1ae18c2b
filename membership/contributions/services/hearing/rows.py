"""The row that news changes: found and locked, whose it is, and its state."""

from datetime import datetime

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing.port import NotKnownYet
from membership.contributions.models import Contribution
from membership.contributions.queries import find_by_reference
from membership.contributions.rules import UNPAID, State, may_become
from membership.db import db
from membership.newsroom.queries import late_money
from membership.patrons import services as patrons


def get_row(reference: str) -> Contribution:
    """The row of that reference, locked until the end of the transaction; NotKnownYet where there is none."""
    contribution = find_by_reference(reference)
    if contribution is None:
        raise NotKnownYet(reference)
    db.session.refresh(contribution, with_for_update=True)
    return contribution


def person_of(contribution: Contribution, at: datetime) -> Person:
    """Whose contribution it is: bound by our reference, never by what was typed at the payment page."""
    if contribution.person_id is None:
        person = accounts.ensure_person(
            contribution.email, contribution.locale, at, public_name=contribution.public_name
        )
        contribution.person_id = person.id
        return person
    person = accounts.survivor(contribution.person_id)
    contribution.person_id = person.id
    if contribution.public_name and State(contribution.state) in UNPAID:
        person.public_name = contribution.public_name
    return person


def open_grace(contribution: Contribution, at: datetime, *, is_first: bool = False) -> None:
    """Let the giver stay a patron while the renewal is tried again, for the days of the settings."""
    if contribution.person_id is not None:
        days = late_money().grace_days
        patrons.open_grace(contribution.person_id, contribution.reference, opened_at=at, days=days, is_first=is_first)


def move(contribution: Contribution, state: State, at: datetime) -> bool:
    """Bring it into `state`, with its line in the timeline; False where the table of states does not allow that."""
    now = State(contribution.state)
    if not may_become(now, state):
        return False
    contribution.state, contribution.state_at = state.value, at
    if contribution.person_id is not None:
        details: dict[str, str | int] = {
            "state": state.value,
            "minor": contribution.charge_minor,
            "currency": contribution.currency,
            "rhythm": contribution.rhythm,
        }
        accounts.note(contribution.person_id, "contribution_state", at, details)
    return True
