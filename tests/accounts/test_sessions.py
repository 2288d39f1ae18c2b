"""Staying signed in and signing out (S11-S13)."""

from datetime import timedelta

import pytest
import time_machine
from flask import flash, get_flashed_messages
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from membership.accounts import queries
from membership.accounts.models import Session
from membership.db import db, transaction
from membership.kernel import clock
from membership.web.access import audience
from tests.conftest import make_settings
from tests.factories.people import make_person, session_id, sign_in

START = "2026-11-01 12:00:00Z"


@pytest.fixture
def app(app):
    """The app with a page for members, one that says something on the next page, and that next page."""

    @app.get("/test/whoami")
    @audience("member")
    def whoami():
        return current_user.email

    @app.get("/test/public")
    @audience("public")
    def public():
        return "anybody"

    @app.get("/test/say")
    @audience("public")
    def say():
        flash("Said before.")
        return "said"

    @app.get("/test/hear")
    @audience("public")
    def hear():
        return " ".join(get_flashed_messages()) or "nothing"

    @app.get("/test/here")
    @audience("member")
    def here():
        return str([row.is_this_one for row in queries.sessions_of(current_user.id)].count(True))

    @app.get("/test/token")
    @audience("public")
    def token():
        return generate_csrf()

    return app


def _token_of(browser) -> str:
    """A form token, as a page with a form would give it to this browser."""
    return browser.get("/test/token").get_data(as_text=True)


def is_signed_in(browser) -> bool:
    answer = browser.get("/test/whoami")
    return answer.status_code == 200


def replay(app, cookie):
    """Another browser with a copied session cookie."""
    browser = app.test_client()
    browser.set_cookie("session", cookie)
    return browser


def test_a_member_page_sends_others_to_sign_in(app, client):
    answer = client.get("/test/whoami")
    assert (answer.status_code, answer.location) == (303, "/signin")
    make_person()
    sign_in(client)
    assert client.get("/test/whoami").get_data(as_text=True) == "olena@example.org"


def test_signing_out_ends_the_session_on_the_server(app, client):
    make_person()
    sign_in(client)
    cookie = session_id(client)
    assert client.post("/signout", data={"csrf_token": _token_of(client)}).location == "/"
    assert session_id(client) is None
    assert not is_signed_in(replay(app, cookie))
    assert db.session.scalar(select(Session.id)) is None


def test_signing_out_everywhere_ends_every_session_of_this_person_only(app, client):
    make_person()
    make_person("maria@example.org")
    other_device, somebody_else = app.test_client(), app.test_client()
    sign_in(client)
    sign_in(other_device)
    sign_in(somebody_else, "maria@example.org")
    assert client.post("/signout/everywhere", data={"csrf_token": _token_of(client)}).status_code == 303
    assert not is_signed_in(client)
    assert not is_signed_in(other_device)
    assert is_signed_in(somebody_else)


def test_a_session_ends_after_thirty_quiet_days(app, client):
    make_person()
    with time_machine.travel(START, tick=False) as traveller:
        sign_in(client)
        traveller.shift(timedelta(days=29, hours=23))
        assert is_signed_in(client)
        traveller.shift(timedelta(days=29, hours=23))
        assert is_signed_in(client)
        cookie = session_id(client)
        traveller.shift(timedelta(days=30))
        assert not is_signed_in(replay(app, cookie))


def test_a_session_ends_after_half_a_year_however_much_it_is_used(app, client):
    make_person()
    with time_machine.travel(START, tick=False) as traveller:
        sign_in(client)
        cookie = session_id(client)
        for _ in range(8):
            traveller.shift(timedelta(days=22))
            assert is_signed_in(replay(app, cookie))
        traveller.shift(timedelta(days=4))
        assert not is_signed_in(replay(app, cookie))


def test_being_seen_is_written_at_most_once_an_hour(app, client):
    make_person()
    with time_machine.travel(START, tick=False) as traveller:
        sign_in(client)
        began = clock.real_now()
        seen = []
        for minutes in (0, 30, 29, 1, 30, 29):
            traveller.shift(timedelta(minutes=minutes))
            is_signed_in(client)
            db.session.expire_all()
            seen.append((db.session.scalar(select(Session.last_seen_at)) - began).total_seconds() / 60)
    assert seen == [0, 0, 0, 60, 60, 60]


def test_disabling_a_person_ends_all_their_sessions(app, client):
    person = make_person()
    sign_in(client)
    with transaction("test"):
        queries.get_person(person.id).disabled_at = clock.now()
    assert not is_signed_in(client)


def test_a_member_sees_where_they_are_signed_in(app, client):
    person = make_person()
    sign_in(client)
    sign_in(app.test_client())
    assert [row.is_this_one for row in queries.sessions_of(person.id)] == [False, False]
    assert client.get("/test/here").get_data(as_text=True) == "1"


def test_a_message_for_the_next_page_is_kept_for_members_and_visitors(app, client):
    visitor = app.test_client()
    make_person()
    sign_in(client)
    for browser in (client, visitor):
        browser.get("/test/say")
        assert browser.get("/test/hear").get_data(as_text=True) == "Said before."
        assert browser.get("/test/hear").get_data(as_text=True) == "nothing"
    assert client.get_cookie("visit") is None


def test_a_signed_cookie_never_says_who_somebody_is(app, client):
    make_person()
    with client.session_transaction() as visit:
        visit["_user_id"] = queries.find_person_by_email("olena@example.org").public_id
        visit["_fresh"] = True
    assert not is_signed_in(client)


def test_a_changed_signed_cookie_is_ignored(app, client):
    client.set_cookie("visit", "eyJjc3JmX3Rva2VuIjoiYSJ9.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert client.get("/test/hear").get_data(as_text=True) == "nothing"


def test_a_page_that_needs_no_session_sets_no_cookie_and_reads_no_row(app, client):
    make_person()
    sign_in(client)
    assert app.test_client().get("/test/public").headers.getlist("Set-Cookie") == []
    assert client.get("/test/public").headers.getlist("Set-Cookie") == []


class TestOverHttps:
    @pytest.fixture
    def settings(self, database_url, tmp_path):
        return make_settings(
            database_url=database_url, queue_path=str(tmp_path / "q.db"), public_url="https://join.example.org"
        )

    def test_cookies_are_bound_to_this_host_and_hidden_from_scripts(self, app):
        browser = app.test_client()
        base = "https://join.example.org"
        answers = [browser.get("/signin", base_url=base), browser.get("/lang/uk", base_url=base)]
        token = answers[0].get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
        data = {"csrf_token": token, "email": "olena@example.org"}
        answers.append(browser.post("/signin", data=data, base_url=base))
        cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
        names = {cookie.partition("=")[0] for cookie in cookies}
        assert names == {"__Host-visit", "__Host-lang", "__Host-login"}
        for cookie in cookies:
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
            assert "Domain" not in cookie
