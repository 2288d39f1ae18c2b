"""Two live supports of one person: never without a flag, and one click keeps one and gives the other's money back."""

import pytest

from membership.accounts.queries import find_person_by_email, timeline
from membership.billing import books
from membership.billing import queries as billing
from membership.contributions import jobs
from membership.contributions.services import doubling, refunding
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.kernel.rhythm import Rhythm
from membership.patrons.queries import grants_of
from tests.contributions.doubles import open_pairs
from tests.contributions.life import Life
from tests.factories.people import any_token, sign_in


@pytest.fixture
def life(app, sandbox):
    sandbox.reset()
    yield Life(app, sandbox)
    db.session.rollback()
    assert books.check(clock.now()) == []
    sandbox.reset()
    clock.use_offset(clock.no_offset)


@pytest.fixture
def twice(life):
    """The references of the earlier and the later support of one person."""
    return life.give(), life.give(minor=1600)


def path_of(life) -> str:
    return life.says("second_support")["keep_url"].removeprefix("http://localhost")


def choose(browser, path, reference):
    return browser.post(path, data={"csrf_token": any_token(browser), "keep": reference})


def test_a_second_live_support_is_flagged_and_told_once(life, twice):
    older, newer = twice
    assert (life.row(older).second_of, life.row(newer).second_of) == (None, older)
    assert open_pairs() == [twice]
    life.pass_time(months=1, days=1)
    assert len(life.mails("second_support")) == 1
    assert [len(life.payments(reference)) for reference in twice] == [2, 2], "if nobody chooses, both go on"


def test_looking_at_the_choice_changes_nothing(life, twice, app):
    page = app.test_client().get(path_of(life))
    assert page.status_code == 200
    for amount in ("€8 a month", "€16 a month"):
        assert amount in page.get_data(as_text=True)
    assert [life.row(reference).state for reference in twice] == ["active", "active"]


@pytest.mark.parametrize("kept_one", [0, 1])
def test_one_click_keeps_one_and_ends_and_refunds_the_other(life, twice, app, kept_one):
    kept, lost = twice[kept_one], twice[1 - kept_one]
    path = path_of(life)
    browser = app.test_client()
    assert choose(browser, path, kept).status_code == 303
    life.hear()
    assert (life.row(kept).state, life.row(lost).state) == ("active", "ended")
    [gone] = life.payments(lost)
    assert gone["amount_refunded"] == gone["amount"]
    assert life.standing().is_patron
    assert open_pairs() == []
    assert "This is settled" in browser.get(path).get_data(as_text=True)
    assert choose(browser, path, lost).status_code == 303
    life.hear()
    assert life.row(kept).state == "active", "the second click ends nothing"
    assert "support_kept" in {entry.kind for entry in timeline(find_person_by_email("reader@example.org").id)}
    life.pass_time(months=1, days=1)
    assert [len(life.payments(reference)) for reference in (kept, lost)] == [2, 1]


def test_a_payment_of_months_ago_stays_and_so_does_what_it_covers(life, app):
    """Otherwise whoever begins anew just before the year is over has had it for nothing."""
    older = life.give(minor=9600, rhythm=Rhythm.YEARLY)
    life.pass_time(months=11)
    newer = life.give(minor=400)
    path, browser = path_of(life), app.test_client()
    until = billing.payments_of([older])[0].period_end
    assert life.says("second_support")["older_stays_until"] == until
    said = browser.get(path).get_data(as_text=True)
    assert "what is paid for it stays covered until" in said
    assert "its last payment of €4.00 goes back" in said
    assert choose(browser, path, newer).status_code == 303
    life.hear()
    assert (life.row(older).state, life.row(newer).state) == ("ended", "active")
    assert life.payments(older)[0]["amount_refunded"] == 0
    assert until in [grant.ends_at for grant in grants_of(life.row(older).person_id)]


def test_a_payment_made_after_the_newer_one_began_is_double_and_goes_back(life, twice, app):
    older, newer = twice
    life.pass_time(months=1, days=1)
    assert life.says("second_support")["older_stays_until"] is None
    assert choose(app.test_client(), path_of(life), newer).status_code == 303
    life.hear()
    assert [row["amount_refunded"] for row in life.payments(older)].count(0) == 1


def test_a_choice_whose_provider_is_silent_is_finished_by_the_worker(life, twice, app):
    older, newer = twice
    life.ask("POST", "/_sandbox/faults", calls=[{"match": "DELETE /v1/subscriptions/*", "do": "500", "times": 9},
                                                {"match": "POST /v1/refunds", "do": "500", "times": 9}])  # fmt: skip
    try:
        assert choose(app.test_client(), path_of(life), newer).status_code == 303
    finally:
        life.ask("DELETE", "/_sandbox/faults")
    assert life.row(older).stop_asked_at is not None
    with pytest.raises(Conflict):
        doubling.keep_one(doubling.find_choice(newer), older, clock.now())
    life.pass_time(days=1)
    jobs.stop_due(clock.now())
    jobs.send_refunds(clock.now() + refunding.ASK_AGAIN_AFTER * 2)
    life.hear()
    assert life.row(older).state == "ended"
    [gone] = life.payments(older)
    assert gone["amount_refunded"] == gone["amount"]


def test_the_choice_stands_on_the_account_page_too_and_wrong_choices_do_nothing(life, twice, app):
    browser = app.test_client()
    sign_in(browser, "reader@example.org")
    assert "You support us twice" in browser.get("/account").get_data(as_text=True)
    path = path_of(life)
    assert choose(browser, path, "con_other").status_code == 422
    assert browser.get(path[:-3] + "abc").status_code == 404
    assert browser.post(path, data={"keep": twice[0]}).status_code == 400
    assert [life.row(reference).state for reference in twice] == ["active", "active"]
