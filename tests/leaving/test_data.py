"""What somebody takes along: everything that we hold of them, nothing of anybody else, and never a choice."""

import json

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.db import db
from membership.front.queries.person_data import everything_of
from membership.kernel import clock
from membership.mail import jobs as mail_jobs
from tests.factories.people import any_token, make_person, sign_in
from tests.factories.polls import NOW, cast_ballot, make_patron, make_poll
from tests.leaving.story import FIRST, MARK, SECOND, everything, post


def take_along(client) -> dict:
    answer = post(client, "/account/data/download")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    return json.loads(answer.get_data(as_text=True))


def test_a_member_takes_along_everything_that_they_typed_and_paid(app, client, sandbox, server):
    support = everything(client, sandbox)
    mail_jobs.sweep(clock.now())
    taken = take_along(client)
    assert taken["format"] == "reader-membership/person/1"
    assert taken["profile"][0]["email"] == SECOND
    assert FIRST in taken["profile"][0]["former_addresses"]
    mine = next(row for row in taken["contributions"] if row["reference"] == support.reference)
    assert mine["cancel_reason"].endswith(f"{MARK} reasons of my own")
    assert (mine["email"], mine["public_name"], mine["customer_at_provider"]) == (
        FIRST,
        f"{MARK} Name",
        support.customer_id,
    )
    assert f"utm_source: {MARK}letter" in mine["came_from"]
    assert len(taken["payments"]) == 2
    assert all(row["receipt"] for row in taken["payments"])
    assert taken["coverage"][0]["covers"]
    assert {row["title"] for row in taken["proposals"]} >= {f"A {MARK} question that nobody else has seen"}
    assert taken["gifts"][0]["receiver_email"] == f"{MARK}.friend@example.org"
    assert {row["to"] for row in taken["mails"]} >= {FIRST, SECOND}
    assert {"signed_in", "payment_received", "address_changed"} <= {row["what"] for row in taken["timeline"]}
    assert len(taken["sessions"]) == 1


def test_the_page_shows_the_same_as_the_file(app, client, sandbox, server):
    everything(client, sandbox)
    answer = post(client, "/account/data/show")
    page = answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    for words in (SECOND, f"{MARK} reasons of my own", f"{MARK} wishes", f"A {MARK} question"):
        assert words in page


def test_nobody_gets_anything_of_somebody_else(app, client, sandbox, server):
    everything(client, sandbox)
    stranger = app.test_client()
    sign_in(stranger, make_person("stranger@example.org").email)
    assert MARK not in json.dumps(take_along(stranger))


def test_it_says_that_somebody_voted_and_never_what(app):
    voter = make_patron("voter@example.org")
    poll = make_poll()
    other = make_poll()
    receipt = cast_ballot(poll, voter, [0, 2]).receipt
    rolls = everything_of(voter.id)["rolls"]
    assert [(row["poll"], row["has_voted"]) for row in rolls] == [(poll.public_id, True), (other.public_id, False)]
    assert set(rolls[0]) == {"poll", "title", "has_voted", "wants_news"}
    assert receipt not in json.dumps(everything_of(voter.id), default=str)


def test_reading_by_link_or_without_a_form_token_gives_nothing_away(app, client):
    make_person()
    sign_in(client)
    for path in ("/account/data/download", "/account/data/show"):
        assert client.get(path).status_code == 405
        assert client.post(path).status_code in {400, 403}
        assert app.test_client().post(path, data={"csrf_token": any_token(app.test_client())}).status_code in {400, 403}


def test_every_room_answers_for_every_state_of_a_person(app):
    person, other = make_person(), make_person("second@example.org")
    accounts.merge(other.id, person.id, "One reader.", "system", clock.now())
    accounts.begin_erasure(person.id, "member", None, NOW)
    for each in (person, other):
        rooms = everything_of(each.id)
        assert rooms["profile"][0]["id"] == db.session.get(Person, each.id).public_id
        assert all(isinstance(rows, list) for rows in rooms.values())
