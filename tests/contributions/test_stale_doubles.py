"""That a support was once the second one of another, which is over, never hides that it is that of a third."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from membership.accounts import services as accounts
from membership.billing.books import Scope
from membership.contributions import checks, jobs
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db, transaction
from membership.kernel import clock
from membership.mail.models import OutboxMail
from tests.contributions.doubles import open_pairs
from tests.factories.people import make_person

numbers = itertools.count(1)


def support(person, state=State.ACTIVE, second_of=None, **changes) -> str:
    """The reference of a monthly support, each begun a day after the one before it."""
    number = next(numbers)
    at = clock.now() - timedelta(days=300 - number)
    with transaction("test.support"):
        row = Contribution(
            reference=f"con_{number}", form_token=f"stale-{number}", email=person.email, locale="en",
            person_id=person.id, rhythm="monthly", currency="EUR", gift_minor=400, charge_minor=400, cup_minor=400,
            state=state.value, state_at=at, created_at=at, subscription_id=f"sub_{number}", second_of=second_of,
            ends_at=at if state is State.ENDED else None, **changes,
        )  # fmt: skip
        db.session.add(row)
    return row.reference


def set_state(reference, state) -> None:
    with transaction("test.set_state"):
        row = db.session.scalar(select(Contribution).where(Contribution.reference == reference))
        row.state, row.ends_at = state.value, clock.now() if state is State.ENDED else None


def n_asked() -> int:
    wanted = OutboxMail.kind == "contributions/second_support"
    return db.session.scalar(select(func.count()).select_from(OutboxMail).where(wanted))


def findings() -> int:
    return len(list(checks.several_live(Scope())))


@pytest.fixture
def olena(app):
    return make_person()


def test_a_merge_asks_about_a_support_that_was_the_second_of_one_long_over(app, olena):
    other = make_person("second@example.org")
    hers = support(olena)
    over = support(other, State.ENDED)
    theirs = support(other, second_of=over)
    accounts.merge(other.id, olena.id, "One reader.", "system", clock.now())
    assert open_pairs() == [(hers, theirs)]
    assert (n_asked(), findings()) == (1, 0)


def test_when_the_middle_one_of_three_ends_the_other_two_are_still_two(olena):
    first = support(olena)
    second = support(olena, second_of=first)
    third = support(olena, second_of=second)
    set_state(second, State.ENDED)
    assert findings() == 1
    jobs.flag_seconds(clock.now())
    assert open_pairs() == [(first, third)]
    assert (n_asked(), findings()) == (1, 0)
    jobs.flag_seconds(clock.now())
    assert n_asked() == 1


def test_one_that_lapsed_and_is_paid_late_is_two_again(olena):
    first = support(olena, State.LAPSED)
    second = support(olena)
    jobs.flag_seconds(clock.now())
    assert n_asked() == 0
    set_state(first, State.ACTIVE)
    jobs.flag_seconds(clock.now())
    assert open_pairs() == [(first, second)]
    assert n_asked() == 1


def test_three_that_become_one_persons_at_once_are_all_asked_about(app, olena):
    other = make_person("second@example.org")
    first, second, third = support(olena), support(other), support(olena)
    with transaction("test.flag"):
        row = db.session.scalar(select(Contribution).where(Contribution.reference == third))
        row.second_of = first
    accounts.merge(other.id, olena.id, "One reader.", "system", clock.now())
    named = {reference for pair in open_pairs() for reference in pair}
    assert named == {first, second, third}
    assert findings() == 0


def test_a_pair_of_which_the_newer_was_paid_first_is_asked_about_once(olena):
    first = support(olena)
    second = support(olena)
    with transaction("test.flag"):  # the first one's money came after the second one's
        db.session.scalar(select(Contribution).where(Contribution.reference == first)).second_of = second
    jobs.flag_seconds(clock.now())
    assert open_pairs() == [(second, first)]
    assert (n_asked(), findings()) == (0, 0)
