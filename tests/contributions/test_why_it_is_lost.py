"""Why recurring income was lost is written down with the loss, and what failed and came after all once each."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.billing.services import sync
from membership.contributions import services
from membership.contributions.models import PaymentTrouble
from membership.contributions.rules import pause_ends
from membership.contributions.services import ending, recovering
from membership.db import db
from membership.kernel import clock
from membership.patrons.models import Movement
from tests.contributions.life import Life
from tests.factories.checkout import FAILS_AT_RENEWAL, GOOD_CARD, pay
from tests.factories.people import any_token, sign_in

DISPUTED = "4000 0000 0000 0259"
MEMBER = {"actor": "member"}


@pytest.fixture
def life(app, sandbox):
    sandbox.reset()
    yield Life(app, sandbox)
    sandbox.reset()
    clock.use_offset(clock.no_offset)


def causes():
    db.session.rollback()
    return db.session.execute(select(Movement.kind, Movement.cause).order_by(Movement.id)).all()


def troubles():
    db.session.rollback()
    rows = select(PaymentTrouble.kind, PaymentTrouble.amount_minor).order_by(PaymentTrouble.id)
    return [tuple(row) for row in db.session.execute(rows)]


def test_who_stops_it_has_chosen(life):
    reference = life.give(GOOD_CARD)
    services.cancel(reference, "press", words="", **MEMBER)
    life.pass_time(months=1, days=2)
    assert causes() == [("new", ""), ("lost", "chosen")]


def test_to_whose_last_try_no_payment_came_has_not_chosen(life):
    life.give(FAILS_AT_RENEWAL)
    life.pass_time(months=1, days=30)
    assert causes() == [("new", ""), ("lost", "failed")]
    assert troubles() == [("failed", 800)], "four tries are one failure"


def test_a_pause_is_a_pause(life):
    reference = life.give(GOOD_CARD)
    services.pause(reference, pause_ends(clock.now(), 2), "press", **MEMBER)
    life.hear()
    life.pass_time(months=3)
    assert causes() == [("new", ""), ("lost", "paused"), ("back", "")]


def test_a_dispute_that_is_lost_ends_it_by_us(life):
    life.give(DISPUTED)
    life.pass_time(days=1)
    dispute = life.ask("GET", "/v1/disputes?limit=1")["data"][0]
    life.ask("POST", "/_sandbox/decide", dispute=dispute["id"], outcome="lost")
    life.hear()
    ending.stop_due(clock.now())
    life.hear()
    assert causes() == [("new", ""), ("lost", "stopped")]


def test_what_is_paid_after_it_failed_is_recovered_once(life, app):
    reference = life.give(FAILS_AT_RENEWAL)
    life.pass_time(months=1, days=1)
    browser = app.test_client()
    sign_in(browser, "reader@example.org")
    fields = {"csrf_token": any_token(browser), "attempt": "press-one"}
    opened = browser.post(f"/account/support/{reference}/card", data=fields)
    come_back = pay(opened.location, GOOD_CARD).headers["Location"]
    recovering.take_new_card(reference, re.search(r"session=(\w+)", come_back)[1])
    life.hear()
    assert life.row(reference).state == "active"
    assert troubles() == [("failed", 800), ("recovered", 800)]


def test_who_was_lost_while_we_heard_nothing_has_lapsed_and_is_told(life):
    """Dark to us for a month: the first we hear is that the provider has given up."""
    reference = life.give(FAILS_AT_RENEWAL)
    now = life.ask("POST", "/_sandbox/advance", months=1, days=30)
    clock.use_offset(lambda: timedelta(seconds=now["offset_seconds"]))
    sync("subscription", life.row(reference).subscription_id)
    assert life.row(reference).state == "lapsed"
    assert causes()[-1] == ("lost", "failed")
    assert len(life.mails("lapsed")) == 1
