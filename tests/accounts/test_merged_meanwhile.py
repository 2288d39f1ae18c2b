"""Coverage that is granted while two people become one is the one's who remains, on real connections."""

import threading

import pytest
from sqlalchemy import select

from membership.accounts import services as accounts
from membership.accounts.models import TimelineEntry
from membership.db import db, transaction
from membership.gifts import services as gifts
from membership.gifts.models import Gift
from membership.kernel import clock
from membership.kernel.money import Money
from membership.mail.models import OutboxMail
from membership.patrons import queries, services
from membership.patrons.models import CoverageGrant, Grace, Movement
from membership.patrons.rules import Cause
from tests.factories.gifts import code_for, make_gift
from tests.factories.people import make_person

REASON = "One reader with two addresses."


@pytest.fixture
def two(app):
    return make_person(), make_person("second@example.org")


def comp(person_id):
    until = clock.now() + services.LONGEST_COMP
    services.grant_comp(person_id, until, "press-1", reason="A guest.", actor="system", at=clock.now())


def months(person_id):
    services.grant_months(person_id, Cause.PAID, "payment:one", paid_at=clock.now(), n_months=2)


def period(person_id):
    at = clock.now()
    ends_at = at + services.LONGEST_COMP
    services.grant_period(person_id, Cause.PAID, "payment:one", paid_at=at, starts_at=at, ends_at=ends_at)


def gift(person_id):
    gifts.redeem(code_for(db.session.scalars(select(Gift)).one()), person_id, clock.now())


def grace(person_id):
    services.open_grace(person_id, "con_1", opened_at=clock.now(), days=14)


def movement(person_id):
    services.move_to(person_id, "con_1", Money(9600, "EUR"), clock.now())


DEEDS = [comp, months, period, gift, grace, movement]


def in_threads(app, *steps) -> list[BaseException]:
    """Run the steps at once, each with connections of its own; the errors that they ended with."""
    failed: list[BaseException] = []

    def run(step):
        with app.app_context():
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - shown by the test
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    db.session.rollback()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    return failed


def named(person_id) -> set[str]:
    """Tables in which a row names this person."""
    models = (CoverageGrant, Grace, Movement, TimelineEntry)
    found = {model.__tablename__ for model in models if db.session.query(model).filter_by(person_id=person_id).count()}
    return found | ({"gifts"} if db.session.query(Gift).filter_by(redeemed_by_id=person_id).count() else set())


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_what_waits_for_a_merge_lands_with_the_person_that_remains(app, two, monkeypatch, deed):
    winner_id, loser_id = (person.id for person in two)
    make_gift("giver@example.org")
    is_locked, may_end = threading.Event(), threading.Event()

    def linger(from_id, into_id, at):
        is_locked.set()
        may_end.wait(0.5)  # long enough for the other to ask for the row and wait

    mergers = app.extensions["membership.mergers"]
    monkeypatch.setitem(app.extensions, "membership.mergers", (*mergers, linger))

    def grant():
        assert is_locked.wait(20)
        deed(loser_id)

    failed = in_threads(app, lambda: accounts.merge(loser_id, winner_id, REASON, "system", clock.now()), grant)
    assert failed == []
    assert named(loser_id) == set()
    assert named(winner_id) - {"timeline_entries"}
    if deed in {comp, months, period, gift}:
        assert queries.standing_of(winner_id, clock.now()).is_patron
        assert queries.spans_of(loser_id) == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_what_is_asked_for_somebody_who_was_merged_twice_lands_with_the_last_one(app, two, deed):
    winner_id, loser_id = (person.id for person in two)
    last_id = make_person("third@example.org").id
    make_gift("giver@example.org")
    accounts.merge(loser_id, winner_id, REASON, "system", clock.now())
    accounts.merge(winner_id, last_id, REASON, "system", clock.now())
    deed(loser_id)
    assert named(loser_id) == named(winner_id) == set()
    assert named(last_id) - {"timeline_entries"}


def test_a_code_redeemed_while_a_merge_has_just_begun_is_the_winners(app, two, monkeypatch):
    winner_id, loser_id = (person.id for person in two)
    make_gift("giver@example.org")
    has_begun, is_redeemed = threading.Event(), threading.Event()

    def linger(from_id, into_id, at):
        has_begun.set()
        is_redeemed.wait(0.5)

    mergers = list(app.extensions["membership.mergers"])
    mergers.insert(mergers.index(services.merge), linger)  # before both people are locked
    monkeypatch.setitem(app.extensions, "membership.mergers", tuple(mergers))

    def redeem():
        assert has_begun.wait(20)
        gift(loser_id)
        is_redeemed.set()

    failed = in_threads(app, lambda: accounts.merge(loser_id, winner_id, REASON, "system", clock.now()), redeem)
    assert failed == []
    assert named(loser_id) == set()
    assert queries.standing_of(winner_id, clock.now()).is_patron


def test_who_gets_a_comp_by_a_shells_page_is_mailed_once_and_can_lose_it_by_that_page(app, two):
    winner, loser = two
    accounts.merge(loser.id, winner.id, REASON, "system", clock.now(), is_told=False)
    comp(loser.id)
    comp(loser.id)
    to = select(OutboxMail.to_address).where(OutboxMail.kind == "patrons/comp")
    assert db.session.scalars(to).all() == [winner.email]
    services.revoke_comp(loser.id, "comp:press-1", reason="By mistake.", actor="system", at=clock.now())
    assert not queries.standing_of(winner.id, clock.now()).is_patron


def test_a_grant_waits_only_for_the_one_who_remains(app, two):
    """Whoever holds the empty shell's row (a further merge does) must not be waited for: that would be a ring."""
    winner_id, loser_id = (person.id for person in two)
    accounts.merge(loser_id, winner_id, REASON, "system", clock.now())
    is_held, is_granted = threading.Event(), threading.Event()

    def hold():
        with transaction("test.hold"):
            db.session.execute(select(type(two[0]).id).where(type(two[0]).id == loser_id).with_for_update())
            is_held.set()
            if db.engine.dialect.name != "sqlite":  # which knows no rows to hold
                assert is_granted.wait(10)

    def grant():
        assert is_held.wait(20)
        months(loser_id)
        is_granted.set()

    assert in_threads(app, hold, grant) == []
