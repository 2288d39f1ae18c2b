"""Voting through the front door: each kind of ballot, what is said afterwards, and what leaves no trace."""

import json
import re

import pytest
import time_machine
from sqlalchemy import select

from membership.accounts.models import Session
from membership.db import db
from membership.kernel import clock
from membership.patrons import services as patrons
from membership.polls import queries, services
from membership.polls.models import SealedBallot
from tests.factories.people import any_token, form_token, make_person, sign_in
from tests.factories.polls import (
    CLOSES,
    NOW,
    cast_ballot,
    close_poll,
    make_patron,
    make_patrons,
    make_poll,
    payment_of,
)
from tests.journeys.inspection import faults_of

RECEIPT = re.compile(r"<code>((?:[0-9a-z]{5}-){3}[0-9a-z]{5})</code>")


@pytest.fixture(autouse=True)
def _at_opening():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def voter(app):
    return make_patron()


@pytest.fixture
def browser(client, voter):
    sign_in(client)
    return client


def page_of(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert faults_of(text, {name.lower(): value for name, value in answer.headers.items()}) == []
    return text


def vote(browser, poll, **fields):
    return browser.post(f"/polls/{poll.public_id}/ballot", data={"csrf_token": any_token(browser)} | fields)


def ticked(text):
    return sorted(int(value) for value in re.findall(r'name="choice" value="(\d+)" checked', text))


def ranked(text):
    return re.search(r'name="order" value="([\d,]*)"', text).group(1)


def test_ticks_are_recorded_and_shown_again(browser, voter):
    poll = make_poll()
    answer = vote(browser, poll, choice=["0", "3"])
    assert (answer.status_code, answer.location) == (303, f"/polls/{poll.public_id}/saved")
    assert queries.my_part(poll, voter.id, NOW).current == [0, 3]
    text = page_of(browser, f"/polls/{poll.public_id}")
    assert ticked(text) == [0, 3]
    assert "You may change it until" in text


def test_a_changed_mind_replaces_the_ballot(browser, voter):
    poll = make_poll()
    vote(browser, poll, choice=["0"])
    vote(browser, poll, choice=["2"])
    assert queries.turnout(poll.id).n_voted == 1
    assert queries.my_part(poll, voter.id, NOW).current == [2]


def test_one_is_picked_with_a_radio_button(browser, voter):
    poll = make_poll(rule="plurality", n_seats=1)
    assert page_of(browser, f"/polls/{poll.public_id}").count('type="radio"') == 4
    vote(browser, poll, choice=["2"])
    assert queries.my_part(poll, voter.id, NOW).current == [2]


def test_a_ranking_is_saved_in_its_order(browser, voter):
    poll = make_poll(rule="stv")
    vote(browser, poll, order="3,0,2")
    assert queries.my_part(poll, voter.id, NOW).current == [3, 0, 2]
    assert ranked(page_of(browser, f"/polls/{poll.public_id}")) == "3,0,2"


def test_a_ranking_is_put_in_order_by_buttons_and_nothing_is_kept_of_it(browser, voter):
    poll = make_poll(rule="stv", n_options=5)
    path, order = f"/polls/{poll.public_id}/arrange", ""
    for move in ("add-3", "add-0", "add-4", "up-4", "remove-3", "down-4"):
        answer = browser.post(path, data={"csrf_token": any_token(browser), "order": order, "move": move})
        assert answer.status_code == 200
        order = ranked(answer.get_data(as_text=True))
    assert order == "0,4"
    assert answer.headers["Cache-Control"] == "no-store"
    assert db.session.scalar(select(SealedBallot)) is None
    assert re.search(r'value="up-4"[^>]*autofocus', answer.get_data(as_text=True))


def test_a_ballot_with_nothing_on_it_is_not_taken_for_a_blank_one(browser, voter):
    poll = make_poll()
    answer = vote(browser, poll)
    assert answer.status_code == 422
    assert '<details class="more poll__blank" id="blank" open>' in answer.get_data(as_text=True)
    assert not queries.my_part(poll, voter.id, NOW).has_voted


def test_a_blank_ballot_has_its_own_button(browser, voter):
    poll = make_poll()
    assert vote(browser, poll, blank="yes").status_code == 303
    assert queries.my_part(poll, voter.id, NOW).current == []
    assert "It is blank." in page_of(browser, f"/polls/{poll.public_id}")


@pytest.mark.parametrize("wrong", ["4", "999", "x", "-1", "0,1", "٣"])
def test_a_choice_that_is_not_on_the_ballot_is_refused_in_words(browser, voter, wrong):
    poll = make_poll()
    answer = vote(browser, poll, choice=["1", wrong])
    assert answer.status_code == 422
    assert "not in the poll" in answer.get_data(as_text=True)
    assert not queries.my_part(poll, voter.id, NOW).has_voted


def test_too_many_places_keep_the_ranking_on_the_page(browser, voter):
    poll = make_poll(rule="stv", n_options=5, max_ranks=3)
    answer = vote(browser, poll, order="4,3,2,1")
    assert answer.status_code == 422
    assert ranked(answer.get_data(as_text=True)) == "4,3,2,1"


def test_two_picks_are_refused_and_a_double_one_too(browser, voter):
    single = make_poll(rule="plurality", n_seats=1)
    assert "Only one topic" in vote(browser, single, choice=["0", "1"]).get_data(as_text=True)
    assert "stands on this ballot twice" in vote(browser, single, choice=["1", "1"]).get_data(as_text=True)


def test_a_ballot_that_comes_too_late_is_told_so(browser, voter):
    poll = make_poll()
    vote(browser, poll, choice=["1"])
    with time_machine.travel(CLOSES, tick=False):
        answer = vote(browser, poll, choice=["2"])
        text = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "closed at" in text
    assert "saved earlier is counted" in text


def test_who_lost_coverage_keeps_the_filled_in_ballot_and_is_told_what_to_do(browser, voter):
    poll = make_poll()
    patrons.revoke(payment_of(voter), NOW)
    answer = vote(browser, poll, choice=["1", "2"])
    text = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert ticked(text) == [1, 2]
    assert 'href="/account"' in text


def test_who_is_not_on_the_roll_is_refused(client, app, voter):
    poll = make_poll()
    make_person("new@example.org")
    sign_in(client, "new@example.org")
    answer = vote(client, poll, choice=["1"])
    assert answer.status_code == 403
    assert "not on the roll" in answer.get_data(as_text=True)


def test_a_poll_that_opens_later_takes_no_ballot_yet(browser, voter):
    poll = make_poll(opens_at=NOW + (CLOSES - NOW) / 2)
    assert "<form" not in page_of(browser, f"/polls/{poll.public_id}").partition("<main")[2].partition("</main")[0]
    assert vote(browser, poll, choice=["1"]).status_code == 409


def test_a_poll_whose_key_is_gone_says_that_the_newsroom_knows(browser, voter, app, settings):
    poll = make_poll()
    from membership.polls import keys

    keys.destroy(poll.public_id)
    answer = vote(browser, poll, choice=["1"])
    assert answer.status_code == 409
    assert "the newsroom is told" in answer.get_data(as_text=True)


# The receipt -------------------------------------------------------------------------------------------


def test_the_receipt_is_shown_once_and_recognised(browser, voter):
    poll = make_poll()
    vote(browser, poll, choice=["0"])
    first = browser.get(f"/polls/{poll.public_id}/saved")
    receipt = RECEIPT.search(first.get_data(as_text=True)).group(1)
    assert first.headers["Cache-Control"] == "no-store"
    assert browser.get_cookie("receipt") is None
    again = page_of(browser, f"/polls/{poll.public_id}/saved")
    assert receipt not in again
    assert "shown once" in again
    answer = browser.post(
        f"/polls/{poll.public_id}/receipt", data={"csrf_token": any_token(browser), "receipt": receipt.upper()}
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Recorded" in answer.get_data(as_text=True)


def test_the_receipt_travels_in_a_cookie_that_scripts_cannot_read(browser, voter):
    poll = make_poll()
    cookie = next(
        value for value in vote(browser, poll, choice=["0"]).headers.getlist("Set-Cookie") if "receipt=" in value
    )
    assert "HttpOnly" in cookie
    assert "Max-Age=600" in cookie
    assert "SameSite=Lax" in cookie


def test_a_receipt_of_one_poll_is_not_shown_for_another(browser, voter):
    one, other = make_poll(), make_poll()
    services.cast(other.id, voter.id, [1], NOW)
    vote(browser, one, choice=["0"])
    assert RECEIPT.search(page_of(browser, f"/polls/{other.public_id}/saved")) is None
    assert RECEIPT.search(page_of(browser, f"/polls/{one.public_id}/saved"))


def test_who_has_not_voted_has_nothing_saved(browser, voter):
    poll = make_poll()
    answer = browser.get(f"/polls/{poll.public_id}/saved")
    assert (answer.status_code, answer.location) == (303, f"/polls/{poll.public_id}")


def test_after_the_close_a_receipt_says_how_many_were_chosen(client, app):
    voters = make_patrons(6)
    poll = make_poll()
    receipt = cast_ballot(poll, voters[0], [0, 1, 2]).receipt
    for person_id in voters[1:]:
        cast_ballot(poll, person_id, [0, 1])
    close_poll(poll)
    token = form_token(client, f"/polls/{poll.public_id}/receipt")
    answer = client.post(f"/polls/{poll.public_id}/receipt", data={"csrf_token": token, "receipt": receipt})
    text = answer.get_data(as_text=True)
    assert "was counted" in text
    assert "Topics on it that were chosen: 2 of 3." in text


@pytest.mark.parametrize(
    ("typed", "status"), [("", 422), ("x" * 201, 422), ("aaaaa-bbbbb-ccccc-ddddd", 200), ("'%", 200)]
)
def test_an_unknown_receipt_is_said_to_be_unknown(client, app, voter, typed, status):
    poll = make_poll()
    token = form_token(client, f"/polls/{poll.public_id}/receipt")
    answer = client.post(f"/polls/{poll.public_id}/receipt", data={"csrf_token": token, "receipt": typed})
    assert answer.status_code == status
    assert ("We do not know this receipt" in answer.get_data(as_text=True)) == (status == 200)


# What must not be anywhere -----------------------------------------------------------------------------


def test_neither_choice_nor_receipt_is_in_a_log_an_address_or_a_session(browser, voter, capsys):
    poll = make_poll(rule="stv")
    token = any_token(browser)
    capsys.readouterr()
    moved = browser.post(
        f"/polls/{poll.public_id}/arrange", data={"csrf_token": token, "order": "3,1", "move": "add-2"}
    )
    saved = browser.post(f"/polls/{poll.public_id}/ballot", data={"csrf_token": token, "order": "3,1,2"})
    shown = browser.get(saved.location)
    receipt = RECEIPT.search(shown.get_data(as_text=True)).group(1)
    browser.post(f"/polls/{poll.public_id}/receipt", data={"csrf_token": token, "receipt": receipt})
    log = capsys.readouterr().err
    assert "/polls/<public_id>/ballot" in log
    kept = json.dumps([row.data for row in db.session.scalars(select(Session))])
    for secret in (receipt, receipt.replace("-", ""), "3,1", "3>1", "add-2"):
        assert secret not in log
        assert secret not in kept
        assert secret not in (saved.location + str(moved.headers) + str(shown.request.path))


def test_nothing_public_tells_how_the_topics_stand_before_the_close(app, client):
    """The same poll with other ballots gives the same answers everywhere, but for what the chain says."""
    voters = make_patrons(8)
    poll = make_poll()
    paths = [
        f"/polls/{poll.public_id}",
        "/polls",
        f"/polls/{poll.public_id}.json",
        f"/polls/{poll.public_id}/evidence.json",
    ]
    for person_id in voters:
        cast_ballot(poll, person_id, [0])
    before = [_without_chain(client, path) for path in paths]
    for person_id in voters:
        cast_ballot(poll, person_id, [1, 2, 3])
    assert [_without_chain(client, path) for path in paths] == before


def _without_chain(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    text = re.sub(r'value="[^"]{60,}"|[0-9a-f]{64}', "", answer.get_data(as_text=True))
    return re.sub(r'"seq": ?\d+|"commitments": ?\[[^]]*\]|has \d+ links', "", text)


@pytest.mark.parametrize("path", ["result", "count.json", "ballots.json", "receipts.txt"])
def test_files_of_the_result_are_not_there_before_the_close(client, app, voter, path):
    poll = make_poll()
    cast_ballot(poll, voter, [1])
    assert client.get(f"/polls/{poll.public_id}/{path}").status_code == 404


@pytest.mark.parametrize("door", ["ballot", "arrange", "receipt"])
def test_every_door_asks_for_the_form_token(browser, voter, door):
    poll = make_poll()
    answer = browser.post(f"/polls/{poll.public_id}/{door}", data={"choice": "1", "order": "1", "receipt": "x"})
    assert answer.status_code in {400, 403}
    assert not queries.my_part(poll, voter.id, clock.now()).has_voted


def test_nobody_votes_without_signing_in(client, app, voter):
    poll = make_poll()
    assert vote(client, poll, choice=["1"]).status_code == 403


def test_a_field_that_the_ballot_does_not_have_is_refused(browser, voter):
    poll = make_poll()
    assert vote(browser, poll, choice=["1"], person_id="7").status_code == 400
