"""What readers see of polls, signed in or not, at every phase; and what programs read."""

import re
from datetime import timedelta

import pytest
import time_machine

from membership.patrons import services as patrons
from membership.patrons.rules import Cause
from membership.polls import rules, services
from membership.polls.queries import options_of
from membership.polls.views.page import phase_of
from tests.factories.people import make_person, sign_in
from tests.factories.polls import (
    CLOSES,
    NOW,
    OPENS,
    cast_ballot,
    close_poll,
    make_draft,
    make_patron,
    make_patrons,
    make_poll,
    payment_of,
)
from tests.journeys.inspection import faults_of


@pytest.fixture(autouse=True)
def _at_opening():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def voter(app):
    return make_patron()


def read(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status
    text = answer.get_data(as_text=True)
    assert faults_of(text, {name.lower(): value for name, value in answer.headers.items()}) == []
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("state", "at", "expected"),
    [
        ("draft", OPENS, "draft"),
        ("open", OPENS - timedelta(seconds=1), "soon"),
        ("open", OPENS, "open"),
        ("open", CLOSES - timedelta(microseconds=1), "open"),
        ("open", CLOSES, "counting"),
        ("closed", CLOSES, "closed"),
        ("cancelled", OPENS, "cancelled"),
    ],
)
def test_where_a_poll_stands(state, at, expected):
    assert phase_of(state, OPENS, CLOSES, at) == expected


def test_a_visitor_sees_the_poll_and_how_to_join_but_no_ballot(client, voter):
    poll = make_poll()
    text = read(client, f"/polls/{poll.public_id}")
    assert text.count('class="option__title"') == 4
    assert 'href="/contribute"' in text
    assert 'action="/polls/' not in text
    assert "0 of 1 member has voted" in text


def test_a_visitor_gets_no_cookie_for_looking(client, voter):
    assert "Set-Cookie" not in client.get(f"/polls/{make_poll().public_id}").headers


def test_the_page_says_rule_secrecy_orders_and_chain(client, voter):
    poll = make_poll(publish_from=500)
    text = read(client, f"/polls/{poll.public_id}")
    assert "weighs less" in text
    assert "At the close the key is destroyed" in text
    assert "If at least 500 members vote" in text
    assert poll.lot_seed in text
    assert "The chain has 1 link now" in text
    assert "(Europe/Kyiv)" in text


def test_a_poll_without_published_ballots_says_so(client, voter):
    assert "Single ballots are never published" in read(client, f"/polls/{make_poll().public_id}")


@pytest.mark.parametrize(("locale", "words"), [("en", "Secret, and open to checking"), ("uk", 'lang="uk"')])
def test_the_page_is_there_in_both_languages(client, voter, locale, words):
    poll = make_poll()
    assert words in read(client, f"/polls/{poll.public_id}?lang={locale}")


def test_each_voter_has_an_order_of_their_own_and_keeps_it(app, voter):
    poll = make_poll(n_options=8)
    orders = []
    for email in ("olena@example.org", "olena@example.org"):
        client = app.test_client()
        sign_in(client, email)
        text = read(client, f"/polls/{poll.public_id}")
        orders.append([int(value) for value in re.findall(r'name="choice" value="(\d+)"', text)])
    assert orders[0] == orders[1] == rules.shown_order(poll.order_seed, voter.public_id, 8)


def test_the_lot_order_stands_on_the_poll(client, voter):
    poll = make_poll(n_options=6)
    titles = re.findall(r"<li>([^<]+)</li>", read(client, f"/polls/{poll.public_id}").partition("poll__lot")[2])
    by_position = {option.position: option.title for option in options_of(poll.id)}
    assert titles[:6] == [by_position[position] for position in rules.lot_order(poll.lot_seed, 6)]


# Why somebody may not vote -----------------------------------------------------------------------------


def test_who_was_no_patron_reads_why(client, voter):
    poll = make_poll()
    make_person("new@example.org")
    sign_in(client, "new@example.org")
    assert "you were not a patron at that moment" in read(client, f"/polls/{poll.public_id}")
    assert "Not on the roll" in read(client, "/polls")


def test_who_was_given_a_comp_reads_why(client, voter):
    make_patron("comp@example.org", cause=Cause.COMP)
    poll = make_poll()
    sign_in(client, "comp@example.org")
    assert "a present from the newsroom" in read(client, f"/polls/{poll.public_id}")


def test_who_joined_too_late_reads_why(client, voter):
    make_patron("late@example.org", paid_at=NOW - timedelta(days=2))
    poll = make_poll(joined_before=NOW - timedelta(days=10))
    sign_in(client, "late@example.org")
    assert "You became a patron after" in read(client, f"/polls/{poll.public_id}")


def test_who_was_in_grace_reads_why(client, voter):
    late = make_patron("grace@example.org", ends_at=NOW - timedelta(days=1))
    patrons.open_grace(late.id, "con_x", opened_at=NOW - timedelta(days=1), days=14)
    poll = make_poll()
    sign_in(client, "grace@example.org")
    assert "had not gone through" in read(client, f"/polls/{poll.public_id}")


def test_who_lost_coverage_since_reads_what_to_do(client, voter):
    poll = make_poll()
    patrons.revoke(payment_of(voter), NOW)
    sign_in(client)
    assert "as soon as your membership is paid again" in read(client, f"/polls/{poll.public_id}")
    assert "You cannot vote now" in read(client, "/polls")


# The list ----------------------------------------------------------------------------------------------


def test_the_empty_list_teaches(client, app):
    text = read(client, "/polls")
    assert "No poll is open now" in text
    assert 'href="/topics"' in text


def test_the_list_puts_what_needs_a_vote_first_and_says_what_is_done(client, voter):
    done = make_poll(title="Voted already", closes_at=CLOSES - timedelta(days=1))
    make_poll(title="Still to do")
    make_poll(title="Much later", opens_at=NOW + timedelta(days=2))
    cast_ballot(done, voter, [1])
    sign_in(client)
    text = read(client, "/polls")
    assert (
        text.index("Still to do")
        < text.index("Needs your vote")
        < text.index("Voted already")
        < text.index("Much later")
    )
    assert text.count("Needs your vote") == 1
    assert text.count('<p class="tag tag--done">Voted</p>') == 1


def test_a_past_poll_stands_with_what_was_chosen(client, app):
    voters = make_patrons(6)
    poll = make_poll(n_options=3, n_seats=1)
    for person_id in voters:
        cast_ballot(poll, person_id, [2])
    close_poll(poll)
    winner = options_of(poll.id)[2].title
    with time_machine.travel(CLOSES, tick=False):
        past = read(client, "/polls").partition("Past polls")[2]
        assert winner in past
        assert winner in read(client, f"/polls/{poll.public_id}")


def test_between_the_end_and_the_count_the_page_says_so(client, voter):
    poll = make_poll()
    with time_machine.travel(CLOSES, tick=False):
        assert "The ballots are being counted" in read(client, f"/polls/{poll.public_id}")
        assert "being counted" in read(client, "/polls")


def test_a_cancelled_poll_says_why(client, voter):
    poll = make_poll()
    services.cancel(poll.id, "Two topics were the same.", None)
    text = read(client, f"/polls/{poll.public_id}")
    assert "Two topics were the same." in text
    assert 'action="/polls/' not in text


def test_drafts_are_nobodys_business(client, voter):
    for draft in (make_draft(), services.cancel(make_draft().id, "A mistake.", None)):
        for path in ("", ".json", "/evidence.json", "/receipt", "/result"):
            assert client.get(f"/polls/{draft.public_id}{path}").status_code == 404
    assert "What shall we look into" not in read(client, "/polls")


def test_there_is_no_such_poll(client, app):
    for path in ("/polls/pol_x", "/polls/pol_x.json", "/polls/pol_x/evidence.json", "/polls/pol_x/receipt"):
        assert client.get(path).status_code == 404


# What programs read ------------------------------------------------------------------------------------


def test_the_poll_as_data(client, voter):
    poll = make_poll(n_options=3)
    facts = client.get(f"/polls/{poll.public_id}.json").get_json()
    assert facts["state"] == "open"
    assert facts["lot"] == {"seed": poll.lot_seed, "order": list(rules.lot_order(poll.lot_seed, 3))}
    assert [option["position"] for option in facts["options"]] == [0, 1, 2]
    assert (facts["on_roll"], facts["voted"], facts["chain"]["seq"]) == (1, 0, 0)
    cast_ballot(poll, voter, [1])
    assert client.get(f"/polls/{poll.public_id}.json").get_json()["voted"] == 1
    assert not {"totals", "rounds", "winners", "ballots", "result"} & facts.keys()


def test_the_evidence_is_public(client, voter):
    poll = make_poll()
    evidence = client.get(f"/polls/{poll.public_id}/evidence.json").get_json()
    assert evidence["opening"]["poll"] == poll.public_id
    assert "result" not in evidence


def test_the_program_that_checks_is_a_file_to_keep(client, app):
    answer = client.get("/polls/verify.py")
    assert answer.headers["Content-Disposition"] == "attachment; filename=verify_poll.py"
    compile(answer.get_data(as_text=True), "verify_poll.py", "exec")
