"""The door of the desk: mail alone opens nothing, a factor opens it for a while, and some acts ask for it again."""

import re
from datetime import timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from membership.accounts import queries, services
from membership.accounts.models import Session, StaffMember, StaffSession
from membership.accounts.rules import Role
from membership.accounts.services import factors
from membership.audit.models import AuditEntry
from membership.db import db, transaction
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.web.access import audience
from membership.web.forms import Form
from tests.conftest import make_settings
from tests.factories.people import any_token, make_person, make_staff, open_desk, session_id, sign_in, sign_in_halfway

START = "2026-11-01 12:00:10Z"
OWNER = "owner@example.org"


@pytest.fixture
def app(app):
    """The app with a page of the desk, an act that wants a fresh proof, and a page that shows its form."""
    from flask import render_template_string  # of the test's own page
    from wtforms import HiddenField, StringField

    class PayForm(Form):
        amount, words, nonce = StringField(), StringField(), HiddenField()

    @app.get("/t/desk")
    @audience("staff")
    def desk():
        return "in"

    @app.post("/t/lone")
    @audience("staff", rate="write")
    def lone():
        return "done"

    @app.route("/t/pay", methods=["GET", "POST"])
    @audience("staff", rate="write", fresh=True)
    def pay():
        form = PayForm()
        if form.is_submitted():
            form.validate()
            return f"paid {form.amount.data}"
        form.nonce.data = "new"
        return render_template_string("{{ form.amount() }}{{ form.words() }}{{ form.nonce() }}", form=form)

    return app


@pytest.fixture
def owner(app):
    return make_staff(OWNER, "owner")


def is_open(browser, path="/t/desk") -> bool:
    return browser.get(path).status_code == 200


def sends_to(answer) -> tuple[int, str | None]:
    return answer.status_code, answer.location


def post(browser, path, **fields):
    return browser.post(path, data={"csrf_token": any_token(browser)} | fields)


def sets_up_an_app(browser) -> tuple[pyotp.TOTP, str]:
    """Through the pages; the app, and the page that came of it."""
    page = browser.get("/staff/factor/app").get_data(as_text=True)
    app = pyotp.TOTP(re.search(r'class="secret">([^<]+)<', page)[1].replace(" ", ""))
    sealed = re.search(r'name="sealed"[^>]*value="([^"]+)"', page)[1]
    answer = post(browser, "/staff/factor/app", sealed=sealed, code=app.at(clock.real_now()))
    return app, answer.get_data(as_text=True)


def shows(browser, app, seconds=0):
    code = app.at(clock.real_now() + timedelta(seconds=seconds))
    return post(browser, "/staff/factor/app-code", code=code)


# Half-way in --------------------------------------------------------------------------------------------


def test_the_mail_alone_opens_nothing_but_the_place_to_set_a_factor_up(app, client, owner):
    sign_in_halfway(client, OWNER)
    assert sends_to(client.get("/t/desk")) == (303, "/staff/factor/mine")
    assert sends_to(client.head("/t/desk")) == (303, "/staff/factor/mine")
    assert sends_to(post(client, "/t/lone")) == (303, "/staff/factor/mine")
    assert client.post("/t/lone").status_code == 400  # without a form token nothing is even kept
    for path in ("/staff/factor/mine", "/staff/factor/app", "/staff/factor/passkeys/new"):
        assert client.get(path).status_code == 200, path
    for path in ("/staff/factor/codes", "/staff/factor/app/remove"):
        assert sends_to(client.get(path)) == (303, "/staff/factor/mine"), path


def test_whoever_has_a_factor_cannot_set_up_another_one_half_way_in(app, client, owner):
    """Else the mail would be enough after all: one could simply add a factor of one's own."""
    sign_in(client, OWNER)
    other = app.test_client()
    sign_in_halfway(other, OWNER)
    for path in ("/t/desk", "/staff/factor/mine", "/staff/factor/app", "/staff/factor/passkeys/new"):
        assert sends_to(other.get(path)) == (303, "/staff/factor"), path
    for path in ("/staff/factor/app", "/staff/factor/passkeys/new", "/staff/factor/codes", "/staff/factor/app/remove"):
        assert sends_to(post(other, path, code="123456", sealed="x", name="x", answer="x")) == (303, "/staff/factor")
    assert queries.factors_of(owner.id).passkeys == []


def test_members_and_strangers_do_not_even_get_that_far(app, client, owner):
    for path in ("/staff/factor", "/staff/factor/mine", "/staff/team", "/staff/audit"):
        assert sends_to(client.get(path)) == (303, "/signin?next=staff")
    make_person()
    sign_in(client)
    for path in ("/staff/factor", "/staff/factor/mine", "/staff/team", "/staff/audit", "/t/desk"):
        assert client.get(path).status_code == 403


def test_the_first_app_opens_the_desk_and_leads_to_where_they_were_going(app, client, owner):
    sign_in_halfway(client, OWNER)
    client.get("/t/desk?x=1")
    before = session_id(client)
    _, page = sets_up_an_app(client)
    assert len(set(re.findall(r'class="secret">([0-9a-z-]{19})<', page))) == 10
    assert 'href="/t/desk?x=1"' in page
    assert is_open(client)
    assert session_id(client) != before  # a new id with new rights (S11)
    # The codes stand on this one page and nowhere else.
    assert "secret" not in client.get("/staff/factor/mine").get_data(as_text=True)


def test_signing_in_takes_the_code_of_the_app_and_each_only_once(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in_halfway(client, OWNER)
        authenticator, _ = sets_up_an_app(client)
        now.shift(timedelta(minutes=1))
        other = app.test_client()
        sign_in_halfway(other, OWNER)
        assert sends_to(other.get("/t/desk?from=mail")) == (303, "/staff/factor")
        assert "six digits" in other.get("/staff/factor").get_data(as_text=True)
        assert post(other, "/staff/factor/app-code", code="12 34").status_code == 422
        assert sends_to(shows(other, authenticator)) == (303, "/t/desk?from=mail")
        assert is_open(other)
        third = app.test_client()
        sign_in_halfway(third, OWNER)
        assert shows(third, authenticator).status_code == 422  # the same step again
        assert not is_open(third)


def test_tries_are_counted_in_each_browser_whatever_they_type(app, client, owner):
    sign_in(client, OWNER)
    other = app.test_client()
    sign_in_halfway(other, OWNER)
    paths = ("app-code", "recovery-code", "passkey")
    answers = [
        post(other, f"/staff/factor/{paths[n % 3]}", **{"answer" if n % 3 == 2 else "code": "1"}) for n in range(11)
    ]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]


def test_whoever_has_only_the_mailbox_and_guesses_does_not_shut_the_owner_out(app, client, owner):
    sign_in(client, OWNER)
    codes = factors.make_codes(owner.id)
    for _browser in range(10):
        thief = app.test_client()
        enter(thief, owner)
        assert [post(thief, "/staff/factor/app-code", code="000000").status_code for _ in range(10)] == [422] * 10
    theirs = app.test_client()
    enter(theirs, owner)
    assert post(theirs, "/staff/factor/app-code", code="000000").status_code == 429  # a hundred guesses in a day
    assert sends_to(post(theirs, "/staff/factor/recovery-code", code=codes[0])) == (303, "/staff")


def enter(browser, person) -> None:
    """Sign a browser in without a mail; nothing of the second factor."""
    from membership.accounts.models import Session
    from membership.kernel import ids

    secret, at = ids.new_secret(), clock.real_now()
    with transaction("test.enter"):
        db.session.add(Session(id_hash=ids.digest(secret), person_id=person.id, data={}, created_at=at,
                               last_seen_at=at, expires_at=at + timedelta(days=1)))  # fmt: skip
    browser.set_cookie("session", secret, domain="localhost")


@pytest.mark.parametrize("change", ["another app", "new codes"])
def test_a_changed_factor_shuts_every_other_desk(app, client, owner, change):
    sign_in(client, OWNER)
    thief = app.test_client()
    sign_in(thief, OWNER)
    assert is_open(thief)
    if change == "another app":
        sets_up_an_app(client)
    else:
        post(client, "/staff/factor/codes")
    assert is_open(client)
    assert not is_open(thief)


def test_after_a_reset_a_browser_from_before_it_sets_nothing_up(app, client, owner):
    editor = make_staff("editor@example.org", "editor")
    laptop = app.test_client()
    sign_in_halfway(laptop, "editor@example.org")
    factors.reset(editor.id, actor="command", reason="laptop and phone stolen")
    assert sends_to(laptop.get("/staff/factor/app"))[1].startswith("/signin")


def test_a_browser_from_before_somebody_worked_here_sets_nothing_up(app, client, owner):
    make_person("new@example.org")
    laptop = app.test_client()
    sign_in(laptop, "new@example.org")
    services.invite("new@example.org", Role.OWNER, "New", "en", clock.now(), actor="command")
    assert sends_to(laptop.get("/staff/factor/app"))[1].startswith("/signin")


# How long it lasts --------------------------------------------------------------------------------------


def test_the_desk_shuts_after_half_an_hour_without_a_sign_of_life(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in(client, OWNER)
        for _ in range(3):
            now.shift(timedelta(minutes=29))
            assert is_open(client)
        now.shift(timedelta(minutes=30))
        assert not is_open(client)
        assert client.get("/account").status_code == 200  # as a member they stay signed in


def test_the_desk_shuts_after_ten_hours_however_busy_they_are(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in(client, OWNER)
        for _ in range(23):
            now.shift(timedelta(minutes=26))
            assert is_open(client)
        now.shift(timedelta(minutes=2))
        assert not is_open(client)


def test_a_sign_of_life_is_written_once_a_minute(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in(client, OWNER)
        began, seen = clock.real_now(), []
        for seconds in (0, 30, 30, 59, 1):
            now.shift(timedelta(seconds=seconds))
            is_open(client)
            seen.append((db.session.scalar(select(StaffSession.last_seen_at)) - began).total_seconds())
    assert seen == [0, 0, 60, 60, 120]
    assert (db.session.scalar(select(StaffMember.seen_at)) - began).total_seconds() == 120


def test_its_cookie_is_strict_and_neither_cookie_opens_the_desk_alone(app, client, owner):
    sign_in_halfway(client, OWNER)
    page = client.get("/staff/factor/app").get_data(as_text=True)
    authenticator = pyotp.TOTP(re.search(r'class="secret">([^<]+)<', page)[1].replace(" ", ""))
    sealed = re.search(r'name="sealed"[^>]*value="([^"]+)"', page)[1]
    answer = post(client, "/staff/factor/app", sealed=sealed, code=authenticator.now())
    (cookie,) = (each for each in answer.headers.getlist("Set-Cookie") if each.startswith("staff="))
    assert "SameSite=Strict" in cookie
    assert "HttpOnly" in cookie
    assert "Max-Age=36000" in cookie
    staff, member = client.get_cookie("staff").value, session_id(client)
    for cookies in ({"staff": staff}, {"session": member}, {"session": member, "staff": staff[::-1]}):
        thief = app.test_client()
        for name, value in cookies.items():
            thief.set_cookie(name, value)
        assert not is_open(thief), cookies
    # Nor does it open the desk in another session, of the same person or of somebody else.
    other = app.test_client()
    sign_in_halfway(other, OWNER)
    other.set_cookie("staff", staff)
    assert not is_open(other)


def test_signing_out_shuts_the_desk_on_the_server(app, client, owner):
    sign_in(client, OWNER)
    cookies = {name: client.get_cookie(name).value for name in ("session", "staff")}
    post(client, "/signout")
    replayed = app.test_client()
    for name, value in cookies.items():
        replayed.set_cookie(name, value)
    assert not is_open(replayed)
    assert db.session.scalar(select(StaffSession.id)) is None


@pytest.mark.parametrize("change", ["role", "leave"])
def test_another_role_and_leaving_shut_the_desk_at_once(app, client, owner, change):
    editor = make_staff("editor@example.org", "editor")
    sign_in(client, "editor@example.org")
    assert is_open(client)
    if change == "role":
        services.change_role(editor.id, Role.VIEWER, clock.now(), actor="command")
        assert sends_to(client.get("/t/desk")) == (303, "/staff/factor")
    else:
        services.dismiss("editor@example.org", clock.now())
        assert client.get("/t/desk").status_code == 403
    assert db.session.query(StaffSession).count() == 0
    assert db.session.query(Session).count() == 1


def test_the_same_role_again_shuts_nothing(app, client, owner):
    sign_in(client, OWNER)
    services.change_role(owner.id, Role.OWNER, clock.now(), actor="command")
    assert is_open(client)


# From another website -----------------------------------------------------------------------------------


def test_a_link_on_another_website_leads_in_by_a_page_of_ours(app, client, owner):
    sign_in(client, OWNER)
    staff = client.get_cookie("staff").value
    client.delete_cookie("staff")  # a browser does not send it there
    page = client.get("/t/desk?a=1&b=2", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/t/desk?a=1&amp;b=2"' in page.get_data(as_text=True)
    assert page.get_data(as_text=True) != "in"
    assert sends_to(client.get("/t/desk", headers={"Sec-Fetch-Site": "same-origin"})) == (303, "/staff/factor")
    client.set_cookie("staff", staff)
    assert is_open(client)


def test_who_has_no_open_desk_gets_no_such_page(app, client, owner):
    sign_in_halfway(client, OWNER)
    answer = client.get("/t/desk", headers={"Sec-Fetch-Site": "cross-site"})
    assert sends_to(answer) == (303, "/staff/factor/mine")


# Asked once more ----------------------------------------------------------------------------------------


def test_some_acts_want_a_proof_of_the_last_ten_minutes(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in_halfway(client, OWNER)
        authenticator, _ = sets_up_an_app(client)
        now.shift(timedelta(minutes=9, seconds=59))
        assert post(client, "/t/pay", amount="8").get_data(as_text=True) == "paid 8"
        now.shift(timedelta(seconds=1))
        assert is_open(client)
        assert sends_to(client.get("/t/pay?x=1")) == (303, "/staff/factor")
        assert "once more" in client.get("/staff/factor").get_data(as_text=True)
        assert sends_to(shows(client, authenticator)) == (303, "/t/pay?x=1")
        assert post(client, "/t/pay", amount="9").get_data(as_text=True) == "paid 9"


def test_a_form_that_was_sent_too_late_comes_back_filled_in_and_was_not_carried_out(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in_halfway(client, OWNER)
        authenticator, _ = sets_up_an_app(client)
        now.shift(timedelta(minutes=11))
        typed = {"amount": "12.50", "words": "Друга спроба", "nonce": "old"}
        assert sends_to(post(client, "/t/pay", **typed)) == (303, "/staff/factor")
        assert sends_to(shows(client, authenticator)) == (303, "/t/pay")
        page = client.get("/t/pay").get_data(as_text=True)
        for words in ("12.50", "Друга спроба", 'value="new"'):  # what the page decided is made anew
            assert words in page
        assert "12.50" not in client.get("/t/pay").get_data(as_text=True)  # once
        with client.session_transaction() as visit:
            assert any("Nothing was done yet" in str(flash) for flash in visit["_flashes"])
            assert "kept" not in visit


def test_a_form_without_a_page_of_its_own_leads_back_to_the_desk(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in_halfway(client, OWNER)
        authenticator, _ = sets_up_an_app(client)
        now.shift(timedelta(minutes=31))
        assert sends_to(post(client, "/t/lone")) == (303, "/staff/factor")
        assert sends_to(shows(client, authenticator)) == (303, "/staff")


def test_nothing_is_kept_of_what_another_website_sent(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in(client, OWNER)
        now.shift(timedelta(minutes=11))
        data = {"csrf_token": any_token(client), "amount": "99"}
        assert client.post("/t/pay", data=data, headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.post("/t/pay", data={"amount": "99"}).status_code == 400
        with client.session_transaction() as visit:
            assert "wanted" not in visit


def test_a_form_that_is_too_large_to_keep_is_not_kept(app, client, owner):
    with time_machine.travel(START, tick=False) as now:
        sign_in_halfway(client, OWNER)
        authenticator, _ = sets_up_an_app(client)
        now.shift(timedelta(minutes=11))
        post(client, "/t/pay", amount="1", words="x" * 17_000)
        assert sends_to(shows(client, authenticator)) == (303, "/t/pay")
        assert 'value="1"' not in client.get("/t/pay").get_data(as_text=True)


# The demo -----------------------------------------------------------------------------------------------


def test_in_the_demo_the_desk_is_open_without_a_factor_and_says_so(app, client, owner):
    app.extensions["membership.settings"] = make_settings(demo=True)
    sign_in_halfway(client, OWNER)
    assert is_open(client)
    assert post(client, "/t/pay", amount="8").get_data(as_text=True) == "paid 8"
    assert "without a second factor" in client.get("/staff").get_data(as_text=True)
    sets_up_an_app(client)
    assert "without a second factor" not in client.get("/staff").get_data(as_text=True)
    other = app.test_client()
    sign_in_halfway(other, OWNER)
    assert sends_to(other.get("/t/desk")) == (303, "/staff/factor")  # who has one is asked for it here as well


# Where somebody is signed in ----------------------------------------------------------------------------

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_member_sees_their_browsers_and_signs_one_out(app, client):
    person = make_person()
    sign_in(client)
    other = app.test_client()
    other.environ_base["HTTP_USER_AGENT"] = FIREFOX
    sign_in(other)
    page = client.get("/account").get_data(as_text=True)
    assert "Firefox, Linux" in page
    rows = {row.browser: row for row in queries.sessions_of(person.id)}
    assert sends_to(post(client, f"/account/sessions/{rows['Firefox, Linux'].id}/end")) == (303, "/account")
    assert other.get("/account").status_code == 303
    assert client.get("/account").status_code == 200
    assert sends_to(post(client, f"/account/sessions/{rows[None].id}/end")) == (303, "/")
    assert client.get("/account").status_code == 303


def test_nobody_signs_somebody_elses_browser_out(app, client):
    make_person()
    sign_in(client)
    stranger = app.test_client()
    sign_in(stranger, make_person("maria@example.org").email)
    mine = db.session.scalar(select(Session.id).order_by(Session.id))
    assert post(stranger, f"/account/sessions/{mine}/end").status_code == 404
    assert client.get("/account").status_code == 200


# The team -----------------------------------------------------------------------------------------------


@pytest.fixture
def boss(app, client, owner):
    """A browser of the owner, with the desk open."""
    sign_in(client, OWNER)
    return client


def test_an_owner_invites_somebody_who_is_told_without_a_secret(app, boss, owner):
    typed = {"email": "Iryna@Example.org", "name": " Iryna  Bondar ", "role": "editor", "locale": "uk"}
    assert sends_to(post(boss, "/staff/team/invite", **typed)) == (303, "/staff/team")
    row = queries.get_staff(queries.find_person_by_email("iryna@example.org").public_id)
    assert (row.member.name, row.member.role, row.person.locale) == ("Iryna Bondar", "editor", "uk")
    mail = db.session.scalar(select(OutboxMail).where(OutboxMail.kind == "accounts/staff_invited"))
    assert (mail.to_address, mail.args) == ("iryna@example.org", {"person_id": row.person.id})
    log = db.session.scalars(select(AuditEntry).where(AuditEntry.about == row.person.public_id)).one()
    assert (log.action, log.actor) == ("staff.role", f"staff:{owner.public_id}")
    assert (log.before, log.after) == ({"role": None}, {"role": "editor"})
    again = post(boss, "/staff/team/invite", **typed)
    assert again.status_code == 409
    assert "on the staff already" in again.get_data(as_text=True)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"email": "nobody"}, "cannot send mail"),
        ({"name": " \u200b "}, "at most 80 characters"),
        ({"role": "king"}, "Not a valid choice"),
        ({"locale": "fr"}, "Not a valid choice"),
    ],
)
def test_a_wrong_invitation_invites_nobody(app, boss, wrong, words):
    typed = {"email": "iryna@example.org", "name": "Iryna", "role": "editor", "locale": "en"} | wrong
    answer = post(boss, "/staff/team/invite", **typed)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert len(queries.staff_rows()) == 1


def test_an_owner_changes_a_role_resets_a_factor_and_takes_somebody_off(app, boss, owner):
    editor = make_staff("editor@example.org", "editor")
    theirs = app.test_client()
    sign_in(theirs, "editor@example.org")
    here = f"/staff/team/{editor.public_id}"
    for path in ("/staff/team", here, f"{here}/role", f"{here}/remove", f"{here}/reset-factor"):
        assert boss.get(path).status_code == 200, path
    assert post(boss, f"{here}/role", role="finance").status_code == 422  # why?
    assert post(boss, f"{here}/role", role="finance", reason="tell a@b.c").status_code == 422
    assert sends_to(post(boss, f"{here}/role", role="finance", reason="Kyiv desk")) == (303, here)
    assert sends_to(theirs.get("/t/desk")) == (303, "/staff/factor")
    assert sends_to(post(boss, f"{here}/reset-factor", reason="Phone lost")) == (303, here)
    assert sends_to(theirs.get("/t/desk")) == (303, "/signin")  # and nobody who holds that browser comes first
    sign_in_halfway(theirs, "editor@example.org")
    assert sends_to(theirs.get("/t/desk")) == (303, "/staff/factor/mine")
    assert sends_to(post(boss, f"{here}/remove", reason="Has left")) == (303, "/staff/team")
    assert theirs.get("/t/desk").status_code == 403
    assert boss.get(here).status_code == 404
    rows = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.about == editor.public_id, AuditEntry.actor == f"staff:{owner.public_id}")
        .order_by(AuditEntry.number)
    )
    assert [(row.action, row.reason, row.after) for row in rows] == [
        ("staff.role", "Kyiv desk", {"role": "finance"}),
        ("factor.reset", "Phone lost", {"second_owner": False}),
        ("staff.role", "Has left", {"role": None}),
    ]


def test_the_last_owner_stays_one(app, boss, owner):
    here = f"/staff/team/{owner.public_id}"
    page = boss.get(here).get_data(as_text=True)
    assert "only owner" in page
    assert f"{here}/remove" not in page
    for path, more in ((f"{here}/role", {"role": "viewer"}), (f"{here}/remove", {})):
        answer = post(boss, path, reason="Tired", **more)
        assert answer.status_code == 409
        assert "Make somebody else an owner first" in answer.get_data(as_text=True)
    assert queries.staff_rows()[0].member.role == "owner"
    assert is_open(boss)


def test_nobody_resets_their_own_factor_there(app, boss, owner):
    answer = post(boss, f"/staff/team/{owner.public_id}/reset-factor", reason="New phone")
    assert answer.status_code == 409
    assert queries.factors_of(owner.id).n == 1


def test_an_owner_signs_a_colleagues_browser_out_and_only_theirs(app, boss, owner):
    editor = make_staff("editor@example.org", "editor")
    reader = make_person("reader@example.org")
    theirs, stranger = app.test_client(), app.test_client()
    sign_in(theirs, "editor@example.org")
    sign_in(stranger, "reader@example.org")
    assert "The desk is open there." in boss.get(f"/staff/team/{editor.public_id}").get_data(as_text=True)
    wrong = queries.sessions_of(reader.id)[0].id
    assert post(boss, f"/staff/team/{editor.public_id}/sessions/{wrong}/end").status_code == 404
    right = queries.sessions_of(editor.id)[0].id
    assert post(boss, f"/staff/team/{editor.public_id}/sessions/{right}/end").status_code == 303
    assert theirs.get("/account").status_code == 303
    assert stranger.get("/account").status_code == 200


# The log as a page --------------------------------------------------------------------------------------


def test_the_log_is_read_page_by_page_and_narrowed_down(app, boss, owner):
    make_staff("editor@example.org", "editor", "Iryna")
    for _ in range(60):
        services.change_role(
            queries.find_person_by_email("editor@example.org").id, Role.VIEWER, clock.now(), actor="command"
        )
        services.change_role(
            queries.find_person_by_email("editor@example.org").id, Role.EDITOR, clock.now(), actor="command"
        )
    page = boss.get("/staff/audit").get_data(as_text=True)
    older = re.search(r'href="(/staff/audit\?before=\d+)"', page)[1]
    assert page.count('class="desk__row"') == 50
    assert "Newest" not in page
    second = boss.get(older).get_data(as_text=True)
    assert "Newest" in second
    mine = boss.get(f"/staff/audit?actor=staff:{owner.public_id}").get_data(as_text=True)
    assert "opened the desk" in mine
    assert "somebody at the machine" not in mine
    assert "Nothing of that kind" in boss.get("/staff/audit?action=nothing").get_data(as_text=True)
    assert boss.get("/staff/audit?before=x&actor=%00x").status_code == 404
    assert boss.get("/staff/audit?before=99999999999999").status_code == 200


def test_reading_people_is_written_down_by_names_of_what_was_asked_only(app, boss, owner):
    reader = make_person("reader@example.org")
    boss.get("/staff/people?q=reader@example.org&standing=patron&Olena+Petrenko=1&380501234567=1")
    boss.get("/staff/trouble")
    boss.get(f"/staff/people/{reader.public_id}")
    boss.get("/staff/people/per_unknown")
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action.endswith(".read")).order_by(AuditEntry.number))
    assert [(row.action, row.subject, row.about, row.after) for row in rows] == [
        ("people.read", "list:people", None, {"narrowed_by": ["q", "standing"], "other_arguments": 2}),
        ("people.read", "list:people", None, None),
        ("person.read", f"person:{reader.public_id}", reader.public_id, None),
    ]


def test_what_cannot_be_written_down_is_not_shown(app, boss, owner, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("membership.audit.views.record", broken)
    answer = boss.get("/staff/people")
    assert answer.status_code == 500
    assert OWNER not in answer.get_data(as_text=True)


def test_a_member_of_staff_who_is_signed_in_twice_shows_their_factor_in_each(app, client, owner):
    other = app.test_client()
    sign_in_halfway(client, OWNER)
    open_desk(client, OWNER)
    sign_in_halfway(other, OWNER)
    assert is_open(client)
    assert not is_open(other)
