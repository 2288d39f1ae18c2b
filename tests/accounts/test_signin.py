"""Signing in, item by item of the security list (S1-S11, S19)."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from membership.accounts import emails, queries, services
from membership.accounts.models import Session, SignInRequest, TimelineEntry
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput, MembershipError
from membership.mail import letters
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from tests.conftest import make_settings
from tests.factories.people import (
    any_token,
    ask,
    form_token,
    latest_request,
    make_person,
    open_mail,
    press_button,
    session_id,
    sign_in,
    type_code,
)

TEN_MINUTES = timedelta(minutes=10)


def n_sessions() -> int:
    return db.session.scalar(select(func.count()).select_from(Session))


# S1 ---------------------------------------------------------------------------------------------------


def test_secrets_are_long_and_never_repeat():
    tokens = {ids.new_secret() for _ in range(10_000)}
    assert len(tokens) == 10_000
    assert min(len(token) for token in tokens) * 6 >= 256


def test_the_database_holds_no_secret_in_the_clear(app, client):
    make_person()
    ask(client)
    nonce = client.get_cookie("login").value
    mail = open_mail()
    press_button(client, mail["token"])
    secrets = [mail["token"], mail["code"], nonce, session_id(client)]
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(table.select()):
            assert not [secret for secret in secrets if secret in str(row)], table.name


# S2 ---------------------------------------------------------------------------------------------------


def test_a_link_signs_in_once(app, client):
    make_person()
    ask(client)
    token = open_mail()["token"]
    answer = press_button(client, token)
    assert (answer.status_code, answer.location) == (303, "/account")
    nonce = latest_request()
    assert nonce.used_at is not None
    assert n_sessions() == 1
    assert press_button(client, token).status_code == 409
    assert n_sessions() == 1


def test_fifty_at_once_with_one_link_get_one_session(app):
    make_person()
    nonce = ids.new_secret()
    services.ask("olena@example.org", "en", "account", nonce)
    token = open_mail()["token"]

    def use(_):
        with app.app_context():
            return services.use_link(token, nonce)

    with ThreadPoolExecutor(50) as pool:
        signed_in = [outcome for outcome in pool.map(use, range(50)) if outcome is not None]
    assert len(signed_in) == 1
    assert n_sessions() == 1


def test_fifty_at_once_with_the_right_code_get_one_session(app):
    make_person()
    nonce = ids.new_secret()
    services.ask("olena@example.org", "en", "account", nonce)
    code = open_mail()["code"]

    def use(_):
        with app.app_context():
            try:
                return services.use_code(code, nonce)
            except MembershipError:
                return None

    with ThreadPoolExecutor(50) as pool:
        assert len([outcome for outcome in pool.map(use, range(50)) if outcome is not None]) == 1
    assert n_sessions() == 1


# S3 ---------------------------------------------------------------------------------------------------


def test_link_and_code_die_after_ten_minutes(app, client):
    make_person()
    with time_machine.travel(0, tick=False) as traveller:
        traveller.move_to("2026-11-01 12:00:00Z")
        ask(client)
        mail = open_mail()
        traveller.shift(TEN_MINUTES + timedelta(seconds=1))
        assert press_button(client, mail["token"]).status_code == 409
        assert type_code(client, mail["code"]).status_code == 409
        traveller.shift(-timedelta(seconds=2))
        assert press_button(client, mail["token"]).status_code == 303


def test_a_newer_request_kills_the_older_one(app, client):
    make_person()
    ask(client)
    older = open_mail()
    ask(client)
    assert press_button(client, older["token"]).status_code == 409
    newer = open_mail()
    assert press_button(client, newer["token"]).status_code == 303


def test_a_strangers_request_in_another_browser_kills_neither_the_link_nor_the_code_of_the_owner(app, client):
    make_person()
    for press in (lambda mail: press_button(client, mail["token"]), lambda mail: type_code(client, mail["code"])):
        ask(client)
        mail = open_mail()
        stranger = app.test_client()
        stranger.environ_base["REMOTE_ADDR"] = "203.0.113.7"
        ask(stranger)
        assert open_mail() is not None
        assert press(mail).status_code == 303
        client.post("/signout", data={"csrf_token": any_token(client)})


def test_a_mail_that_would_come_too_late_is_not_sent(app, client):
    make_person()
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        ask(client)
        traveller.shift(TEN_MINUTES)
        assert open_mail() is None


def test_a_mail_for_an_outdone_request_is_not_sent(app, client):
    make_person()
    ask(client)
    older = latest_request().id
    ask(client)
    assert open_mail(older) is None


def test_a_second_attempt_at_the_mail_makes_the_first_ones_secrets_worthless(app, client):
    make_person()
    ask(client)
    first, second = open_mail(), open_mail()
    assert press_button(client, first["token"]).status_code == 409
    assert press_button(client, second["token"]).status_code == 303


# S4 ---------------------------------------------------------------------------------------------------


def test_looking_at_the_link_changes_nothing(app, client):
    make_person()
    ask(client)
    token = open_mail()["token"]
    for browser in (client, app.test_client()):
        for _ in range(10):
            assert browser.get(f"/signin/link/{token}").status_code == 200
            assert browser.head(f"/signin/link/{token}").status_code == 200
            assert browser.options(f"/signin/link/{token}").status_code == 200
    assert n_sessions() == 0
    assert latest_request().used_at is None
    assert press_button(client, token).status_code == 303


def test_the_link_page_has_a_button_and_no_way_to_press_itself(app, client):
    make_person()
    ask(client)
    page = client.get(f"/signin/link/{open_mail()['token']}")
    text = page.get_data(as_text=True)
    assert '<form method="post">' in text
    assert "http-equiv" not in text
    assert (page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == ("same-origin", "no-store")


def test_a_code_signs_in_in_the_browser_that_asked(app, client):
    make_person()
    ask(client)
    code = open_mail()["code"]
    assert re.fullmatch(r"\d{8}", code)
    answer = type_code(client, f"{code[:4]}-{code[4:]}")
    assert (answer.status_code, answer.location) == (303, "/account")
    assert n_sessions() == 1


def test_after_five_wrong_codes_the_right_one_is_worth_nothing(app, client):
    make_person()
    ask(client)
    mail = open_mail()
    wrong = str((int(mail["code"]) + 1) % 10**8).zfill(8)
    for n_left in (4, 3, 2, 1):
        answer = type_code(client, wrong)
        assert answer.status_code == 422
        assert ("once more" if n_left == 1 else f"{n_left} more") in answer.get_data(as_text=True)
    assert type_code(client, wrong).status_code == 409
    assert type_code(client, mail["code"]).status_code == 409
    assert n_sessions() == 0


def test_tries_are_counted_exactly_when_they_come_at_once(app):
    make_person()
    nonce = ids.new_secret()
    services.ask("olena@example.org", "en", "account", nonce)
    wrong = str((int(open_mail()["code"]) + 1) % 10**8).zfill(8)

    def use(_):
        with app.app_context():
            try:
                return services.use_code(wrong, nonce)
            except (Conflict, InvalidInput) as error:
                return error.code

    with ThreadPoolExecutor(30) as pool:
        outcomes = list(pool.map(use, range(30)))
    assert outcomes.count("code_wrong") == 4  # the fifth says that there is no further try
    assert latest_request().n_tries == 5


# S5 ---------------------------------------------------------------------------------------------------


def test_a_stolen_link_opens_nothing_in_another_browser(app, client):
    make_person()
    ask(client)
    token = open_mail()["token"]
    thief = app.test_client()
    assert "Type the code on the first device" in thief.get(f"/signin/link/{token}").get_data(as_text=True)
    assert press_button(thief, token).status_code == 403
    assert n_sessions() == 0
    assert press_button(client, token).status_code == 303


def test_a_code_opens_nothing_in_another_browser(app, client):
    make_person()
    ask(client)
    code = open_mail()["code"]
    thief = app.test_client()
    assert type_code(thief, code).status_code == 409
    thief.set_cookie("login", ids.new_secret())
    assert type_code(thief, code).status_code == 409
    assert latest_request().n_tries == 0
    assert type_code(client, code).status_code == 303


# S6 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_website_cannot_press_the_button(app, client, headers):
    make_person()
    ask(client)
    token = open_mail()["token"]
    data = {"csrf_token": form_token(client, f"/signin/link/{token}")}
    assert client.post(f"/signin/link/{token}", data=data, headers=headers).status_code == 403
    assert client.post(f"/signin/link/{token}").status_code == 400
    assert n_sessions() == 0


# S7 ---------------------------------------------------------------------------------------------------


def _shape(headers) -> list[tuple[str, str]]:
    hidden = {"x-request-id", "date", "content-length"}
    return [
        (name, re.sub(r"=[^;]+", "=…", value) if name == "Set-Cookie" else value)
        for name, value in headers
        if name.lower() not in hidden
    ]


def test_a_known_and_an_unknown_address_are_answered_alike(app):
    make_person("known@example.org")
    seen = []
    for email in ("known@example.org", "nobody@example.org"):
        browser = app.test_client()
        answer = ask(browser, email)
        page = browser.get("/signin/sent")
        body = re.sub(r'value="[^"]{40,}"', "", page.get_data(as_text=True)).replace(email, "ADDRESS")
        wrong = type_code(browser, "00000000")
        wrong_body = re.sub(r'value="[^"]{40,}"', "", wrong.get_data(as_text=True)).replace(email, "ADDRESS")
        seen.append((answer.status_code, answer.location, answer.data, _shape(answer.headers)))
        seen.append((page.status_code, body, _shape(page.headers), wrong.status_code, wrong_body))
    assert seen[:2] == seen[2:]


def test_a_known_and_an_unknown_address_leave_the_same_rows(app, client):
    make_person("known@example.org")
    for email in ("known@example.org", "nobody@example.org"):
        ask(client, email)
    rows = db.session.scalars(select(SignInRequest).order_by(SignInRequest.id)).all()
    mails = db.session.scalars(select(OutboxMail).order_by(OutboxMail.id)).all()
    assert [(row.token_hash, row.code_hash, row.used_at) for row in rows] == [(None, None, None)] * 2
    assert [(mail.kind, mail.args, mail.to_address) for mail in mails] == [
        ("accounts/sign_in", {"request_id": rows[0].id}, "known@example.org"),
        ("accounts/sign_in", {"request_id": rows[1].id}, "nobody@example.org"),
    ]


def test_an_unknown_address_is_told_by_mail_how_to_join(app, client):
    ask(client, "nobody@example.org")
    context = emails.sign_in({"request_id": latest_request().id}, clock.now())
    letter = letters.write(find_entry("accounts/sign_in"), context, "en")
    assert "Nobody has an account" in letter.text
    assert "http://localhost/contribute" in letter.text
    assert "/signin/link/" not in letter.text + letter.html
    assert latest_request().token_hash is None


def test_a_disabled_person_gets_no_link(app, client):
    make_person(disabled_at=clock.now())
    ask(client)
    assert open_mail()["is_known"] is False


# S8 ---------------------------------------------------------------------------------------------------


def test_a_fourth_mail_within_a_quarter_of_an_hour_is_not_sent_and_not_spoken_of(app, client):
    make_person()
    answers = {ask(client).status_code for _ in range(4)}
    assert answers == {303}
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 3
    # The third mail still works: the fourth request changed nothing.
    assert press_button(client, open_mail()["token"]).status_code == 303


def test_one_network_cannot_use_up_the_mails_of_an_address_but_many_together_are_stopped(app):
    make_person()

    def ask_from(ip):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = ip
        ask(browser)
        return db.session.scalar(select(func.count()).select_from(OutboxMail))

    assert [ask_from(f"198.51.100.{n}") for n in range(5)][-1] == 3
    assert ask_from("203.0.113.7") == 4
    assert [ask_from(f"192.0.{n}.1") for n in range(20)][-1] == 12


def test_the_page_promises_no_mail_for_certain_and_is_alike_for_every_address(app):
    make_person()
    pages = set()
    for email in ("olena@example.org", "nobody@example.org"):
        browser = app.test_client()
        for _ in range(4):
            ask(browser, email)
            source = browser.get("/signin/sent").get_data(as_text=True)
            assert "unless several of our mails went there in the last quarter of an hour" in source
            assert "We have written" not in source
            pages.add(re.sub(r'value="[^"]*"|nonce="[^"]*"', "", source.replace(email, "")))
    assert len(pages) == 1


def test_after_a_quarter_of_an_hour_mails_go_out_again(app, client):
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        for _ in range(4):
            ask(client)
        traveller.shift(timedelta(minutes=15, seconds=1))
        ask(client)
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 4


@pytest.fixture
def strict_settings(database_url, tmp_path):
    return make_settings(database_url=database_url, queue_path=str(tmp_path / "queue.db"), signin_links_per_hour=5)


class TestOneOrigin:
    @pytest.fixture
    def settings(self, strict_settings):
        return strict_settings

    def test_one_origin_gets_no_more_mails_than_set(self, app, client):
        for n in range(8):
            assert ask(client, f"reader{n}@example.org").status_code == 303
        assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 5


# S9 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["a@b.c\r\nBcc: x@example.org", "a@example.org%0d%0aBcc:x", "a" * 330, "олена@x.org"])
def test_a_wrong_address_is_said_at_the_field_and_nothing_is_written(app, client, email):
    answer = ask(client, email)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(SignInRequest)) == 0


# S10 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}, {"X-Forwarded-Proto": "https"}],
)
def test_links_in_mails_are_ours_whatever_headers_say(app, client, headers):
    make_person()
    client.post("/signin", data={"csrf_token": form_token(client), "email": "olena@example.org"}, headers=headers)
    assert open_mail()["link_url"].startswith("http://localhost/signin/link/")


# S11 and what signing in does -------------------------------------------------------------------------


def test_signing_in_begins_a_new_session_and_drops_what_was_before(app, client):
    make_person()
    ask(client)
    before = client.get_cookie("visit").value
    old_token = form_token(client, "/signin/sent")
    press_button(client, open_mail()["token"])
    assert client.get_cookie("visit") is None
    assert client.get_cookie("login") is None
    assert client.post("/signout", data={"csrf_token": old_token}).status_code == 400
    fixed = app.test_client()
    fixed.set_cookie("visit", before)
    assert "Sign in" in fixed.get("/signin").get_data(as_text=True)
    fixed.set_cookie("session", "chosen-by-somebody-else")
    answer = fixed.get("/signin")
    assert answer.status_code == 200
    assert any(cookie.startswith("session=;") for cookie in answer.headers.getlist("Set-Cookie"))


def test_signing_in_again_gives_a_new_id_and_ends_the_old_session(app, client):
    make_person()
    make_person("maria@example.org")
    sign_in(client)
    first = session_id(client)
    ask_elsewhere = app.test_client()
    ask(ask_elsewhere, "maria@example.org")
    client.set_cookie("login", ask_elsewhere.get_cookie("login").value)
    press_button(client, open_mail()["token"])
    assert session_id(client) != first
    assert n_sessions() == 1


def test_proving_the_address_is_written_down_once(app, client):
    person = make_person()
    assert person.email_proved_at is None
    sign_in(client)
    proved_at = queries.get_person(person.id).email_proved_at
    assert proved_at is not None
    other = app.test_client()
    sign_in(other)
    assert queries.get_person(person.id).email_proved_at == proved_at
    kinds = db.session.scalars(select(TimelineEntry.kind).order_by(TimelineEntry.id)).all()
    assert kinds == ["address_proved", "signed_in", "signed_in"]


def test_the_language_of_the_page_becomes_the_persons(app, client):
    person = make_person()
    client.get("/lang/uk?to=/signin")
    sign_in(client)
    assert queries.get_person(person.id).locale == "uk"
    assert db.session.scalar(select(OutboxMail.locale)) == "uk"


# S19 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["//e", "/\\e", "https:e", "/%09/e", "javascript:alert(1)", "https://evil.example"])
def test_a_sign_in_never_leads_away(app, client, wanted):
    make_person()
    assert sign_in(client, next=wanted).location == "/account"


def test_a_sign_in_leads_where_the_reader_was_going(app, client):
    make_person()
    page = client.get("/signin?next=contribute").get_data(as_text=True)
    assert re.search(r'name="next"[^>]*value="contribute"', page)
    assert sign_in(client, next="contribute").location == "/contribute"


# S43, mail that does not flow, signed-in visitors -----------------------------------------------------


def test_no_log_shows_a_token_or_an_address(app, client, caplog):
    make_person()
    with caplog.at_level(logging.DEBUG):
        ask(client)
        mail = open_mail()
        client.get(f"/signin/link/{mail['token']}")
        press_button(app.test_client(), mail["token"])
        press_button(client, mail["token"])
    for record in caplog.records:
        said = f"{record.getMessage()} {record.__dict__}"
        assert mail["token"] not in said
        assert mail["code"] not in said
        assert "olena@" not in said


def test_the_page_says_when_mail_does_not_leave(app, client):
    make_person()
    assert "mail is slow" not in client.get("/signin").get_data(as_text=True)
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        ask(client)
        traveller.shift(timedelta(minutes=5))
        assert "mail is slow" in client.get("/signin").get_data(as_text=True)
        assert "mail is slow" in client.get("/signin/sent").get_data(as_text=True)


def test_who_is_signed_in_is_sent_on(app, client):
    make_person()
    sign_in(client)
    for path in ("/signin", "/signin/sent"):
        assert client.get(path).location == "/account"


def test_old_requests_are_deleted_after_a_day(app, client):
    with time_machine.travel("2026-11-01 12:00:00Z", tick=False) as traveller:
        ask(client)
        traveller.shift(timedelta(days=1))
        services.forget(clock.real_now())
        assert db.session.scalar(select(func.count()).select_from(SignInRequest)) == 1
        traveller.shift(timedelta(minutes=11))
        services.forget(clock.real_now())
        assert db.session.scalar(select(func.count()).select_from(SignInRequest)) == 0


def test_the_request_and_its_mail_are_written_together(app):
    with pytest.raises(ZeroDivisionError), transaction("test"):
        services.ask("olena@example.org", "en", "account", ids.new_secret())
        1 / 0  # noqa: B018
    assert db.session.scalar(text("SELECT COUNT(*) FROM sign_in_requests")) == 0
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 0


def test_who_was_given_a_membership_gets_an_account_by_proving_the_address(app, client):
    sign_in(client, "new@example.org", next="redeem")
    person = queries.find_person_by_email("new@example.org")
    assert person.email_proved_at
    assert client.get("/account").status_code == 200


def test_nobody_gets_an_account_by_asking_to_sign_in_anywhere_else(app, client):
    ask(client, "new@example.org", next="account")
    assert open_mail()["is_known"] is False
    assert queries.find_person_by_email("new@example.org") is None
