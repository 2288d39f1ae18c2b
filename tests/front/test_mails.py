"""The desk's mails: what waits, failed and was sent, trying again through a real mail server, and the catalogue."""

import re
from datetime import timedelta
from email import policy
from email.parser import BytesParser

import pytest
from sqlalchemy import select

from membership.audit.models import AuditEntry
from membership.db import db
from membership.kernel import clock
from membership.mail import jobs, services
from membership.mail.catalogue import all_mails
from membership.mail.models import OutboxMail
from membership.operations.models import Intervention
from membership.operations.queries import mails as queries
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.factories.smtp import MailServer, running, use_server
from tests.mail.conftest import note, note_mail

__all__ = ["note", "note_mail"]


def at_the_desk(app, role="finance"):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def add(state="sent", to="reader@example.org", kind="contributions/receipt", **changes) -> int:
    now = clock.now()
    done = now if state in {"sent", "dropped", "dead"} else None
    values = {"locale": "en", "args": {}, "created_at": now, "next_try_at": now + timedelta(hours=1), "done_at": done}
    row = OutboxMail(kind=kind, to_address=to, state=state, **(values | changes))
    db.session.add(row)
    db.session.commit()
    return row.id


def row_of(outbox_id) -> OutboxMail:
    return db.session.get(OutboxMail, outbox_id, populate_existing=True)


def shown(what="", kind="", before=None) -> list[int]:
    return [line.row.id for line in queries.search(what, kind, before).rows]


# The list -------------------------------------------------------------------------------------------------


def test_filters_tell_apart_how_mails_stand(app):
    sent, dead, waiting = add(), add("dead"), add("waiting")
    failing, dropped, bulk = add("waiting", failure="server"), add("dropped"), add(kind="polls/opened", is_bulk=True)
    assert shown() == [bulk, dropped, failing, waiting, dead, sent]
    assert shown("sent") == [bulk, sent]
    assert shown("dead") == [dead]
    assert shown("waiting") == [failing, waiting]
    assert shown("failing") == [failing]
    assert shown("dropped") == [dropped]
    assert shown("sent", "polls/opened") == [bulk]
    assert queries.count_stuck() == {"dead": 1, "waiting": 2, "failing": 1}


def test_pages_lose_nobody(app):
    ids = [add() for _ in range(queries.PAGE_LENGTH + 3)]
    first = queries.search("", "", None)
    add()
    assert [line.row.id for line in first.rows] + shown(before=first.older) == ids[::-1]


def test_who_is_a_person_is_a_link_and_strangers_stay_masked(app):
    person = make_person("reader@example.org")
    add(to="reader@example.org")
    add(to="stranger@else.example")
    add(to=None)
    page = at_the_desk(app, "viewer").get("/staff/mails").get_data(as_text=True)
    assert f'<a href="/staff/people/{person.public_id}">reader@example.org</a>' in page
    assert "s…@else.example" in page
    assert "stranger@" not in page
    assert "forgotten after 30 days" in page


def test_neither_list_nor_page_shows_what_a_mail_was_told(app):
    """Its args are ids today; a page that never prints them cannot leak a token tomorrow."""
    outbox_id = add("dead", args={"request_id": 987654321}, once_key="token:s3cret", message_id="<mail.77@x>")
    browser = at_the_desk(app, "owner")
    for path in ("/staff/mails", f"/staff/mails/{outbox_id}", f"/staff/mails/{outbox_id}/again"):
        page = browser.get(path).get_data(as_text=True)
        assert not re.search(r"987654321|s3cret|mail\.77", page), path


@pytest.mark.parametrize("query", ["?shown=evil", "?kind=evil", "?before=x", "?before=-1", "?before=" + "9" * 40])
def test_odd_addresses_are_no_errors(app, query):
    add()
    assert at_the_desk(app).get(f"/staff/mails{query}").status_code == 200


def test_who_may_only_look_gets_no_buttons(app):
    outbox_id = add("dead")
    viewer = at_the_desk(app, "viewer")
    for path in ("/staff/mails", f"/staff/mails/{outbox_id}"):
        page = viewer.get(path).get_data(as_text=True)
        assert not re.search(r"/again|/let-be", page)
    for path in (f"{outbox_id}/again", f"{outbox_id}/let-be", "again"):
        assert viewer.get(f"/staff/mails/{path}").status_code == 403
        assert viewer.post(f"/staff/mails/{path}", data={"csrf_token": any_token(viewer)}).status_code == 403


# Trying again ---------------------------------------------------------------------------------------------


@pytest.fixture
def server(app):
    handler = MailServer()
    with running(handler) as url:
        use_server(app, url)
        yield handler


def press(browser, path, **fields):
    page = browser.get(path).get_data(as_text=True)
    token = re.search(r'id="form-token"[^>]*value="([^"]+)"', page).group(1)
    until = re.search(r'name="until"[^>]*value="([^"]*)"', page)
    sent = {"csrf_token": any_token(browser), "form_token": token, "reason": "The server is back"}
    sent |= {"until": until.group(1)} if until else {}
    return browser.post(path, data=sent | fields), sent | fields


def test_a_mail_that_was_refused_leaves_once_somebody_says_so(app, note_mail, server):
    server.answers["RCPT"] = "550 5.1.1 no"
    outbox_id = services.send(note_mail, "reader@example.org", "en", {})
    jobs.deliver(clock.now(), outbox_id)
    assert row_of(outbox_id).state == "dead"
    del server.answers["RCPT"]
    finance = at_the_desk(app)
    answer, sent = press(finance, f"/staff/mails/{outbox_id}/again")
    assert (answer.status_code, row_of(outbox_id).state, row_of(outbox_id).attempts) == (303, "waiting", 0)
    jobs.deliver(clock.now(), outbox_id)
    assert (row_of(outbox_id).state, [each.rcpt_tos for each in server.taken]) == ("sent", [["reader@example.org"]])
    # The same press sent once more: nothing happens, and nobody gets a second copy.
    assert finance.post(f"/staff/mails/{outbox_id}/again", data=sent).status_code == 303
    jobs.sweep(clock.now())
    assert row_of(outbox_id).state == "sent"
    entry = db.session.scalars(select(Intervention)).one()
    assert (entry.kind, entry.subject, entry.reason) == ("mail_again", str(outbox_id), "The server is back")
    assert "The server is back" in finance.get(f"/staff/mails/{outbox_id}").get_data(as_text=True)


def test_a_mail_that_is_let_be_never_leaves(app, note_mail, server):
    outbox_id = services.send(note_mail, "reader@example.org", "en", {})
    assert press(at_the_desk(app), f"/staff/mails/{outbox_id}/let-be")[0].status_code == 303
    jobs.sweep(clock.now())
    assert row_of(outbox_id).state == "dropped"
    assert [each.rcpt_tos for each in server.taken if each.rcpt_tos == ["reader@example.org"]] == []


def test_why_a_mail_to_somebody_was_let_be_is_logged_about_them_so_that_it_goes_with_them(app, note_mail):
    person = make_person("reader@example.org")
    outbox_id = services.send(note_mail, "reader@example.org", "en", {})
    press(at_the_desk(app), f"/staff/mails/{outbox_id}/let-be")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "mail.let_be")).one()
    assert entry.about == person.public_id


@pytest.mark.parametrize(("state", "changes"), [("sent", {}), ("sending", {}), ("dead", {"to": None})])
@pytest.mark.parametrize("act", ["again", "let-be"])
def test_what_has_left_is_leaving_or_has_no_address_stays_as_it_is(app, act, state, changes):
    outbox_id = add("waiting")
    finance = at_the_desk(app)
    _answer, sent = press(finance, f"/staff/mails/{outbox_id}/{act}", reason="")
    row = row_of(outbox_id)
    row.state, row.done_at = state, clock.now() if state != "sending" else None
    row.to_address = changes.get("to", row.to_address)
    db.session.commit()
    answer = finance.post(f"/staff/mails/{outbox_id}/{act}", data=sent | {"reason": "Too late"})
    kept = row_of(outbox_id).state
    if act == "let-be" and state == "dead":
        assert (answer.status_code, kept) == (303, "dropped")
    else:
        assert (answer.status_code, kept) == (409, state)
        assert db.session.query(Intervention).count() == 0


def test_nothing_happens_without_a_reason(app):
    outbox_id, finance = add("dead"), at_the_desk(app)
    for fields, status in (({"reason": ""}, 422), ({"reason": "a@b.org"}, 422), ({"form_token": "x"}, 409)):
        assert press(finance, f"/staff/mails/{outbox_id}/again", **fields)[0].status_code == status
    assert finance.get(f"/staff/mails/{outbox_id}/fly").status_code == 404
    assert finance.get("/staff/mails/999999/again").status_code == 404
    assert row_of(outbox_id).state == "dead"


def test_all_that_were_given_up_are_shown_first_and_then_only_those_are_tried(app):
    first, second, gone = add("dead", last_error="Refused."), add("dead", last_error="Refused."), add("dead", to=None)
    finance = at_the_desk(app)
    page = finance.get("/staff/mails/again").get_data(as_text=True)
    assert "2 mails would be tried again" in page
    assert "Refused." in page
    _answer, sent = press(finance, "/staff/mails/again", reason="")
    later = add("dead", done_at=clock.now() + timedelta(minutes=1))
    assert finance.post("/staff/mails/again", data=sent | {"reason": "Back"}).status_code == 303
    states = [row_of(each).state for each in (first, second, gone, later)]
    assert states == ["waiting", "waiting", "dead", "dead"]


# The catalogue --------------------------------------------------------------------------------------------


def test_every_mail_is_in_the_catalogue_with_why_it_is_sent(app):
    page = at_the_desk(app, "viewer").get("/staff/mails/catalogue").get_data(as_text=True)
    entries = [entry for entry in all_mails() if not entry.kind.startswith("tests/")]
    assert len(entries) > 30
    assert [entry.kind for entry in entries if f"/staff/mails/catalogue/{entry.kind}" not in page] == []


def test_a_mail_is_shown_in_both_languages_and_its_html_can_do_nothing(app):
    viewer = at_the_desk(app, "viewer")
    answer = viewer.get("/staff/mails/catalogue/contributions/receipt")
    page = answer.get_data(as_text=True)
    assert page.count('sandbox=""') == page.count("<pre") == 2
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    frame = viewer.get("/staff/mails/catalogue/contributions/receipt/uk")
    policy_said = frame.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "img-src 'none'", "connect-src 'none'", "form-action 'none'", "sandbox"):
        assert rule in policy_said
    assert '<html lang="uk"' in frame.get_data(as_text=True)
    for path in ("x/y", "contributions/receipt/xx", "contributions/nothing"):
        assert viewer.get(f"/staff/mails/catalogue/{path}").status_code == 404


@pytest.mark.parametrize(("locale", "mark"), [("en", "[Test] "), ("uk", "[")])
def test_a_test_comes_to_who_asked_through_the_outbox_and_says_so(app, server, locale, mark):
    viewer = at_the_desk(app, "viewer")
    path = "/staff/mails/catalogue/topics/stage"
    page = viewer.get(path).get_data(as_text=True)
    token = re.search(r'id="form-token"[^>]*value="([^"]+)"', page).group(1)
    sent = {"csrf_token": any_token(viewer), "form_token": token, "locale": locale}
    for _ in range(2):
        assert viewer.post(f"{path}/test", data=sent).status_code == 303
    row = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "topics/stage")).one()
    assert (row.to_address, row.args, row.locale) == ("viewer@example.org", {"is_test": 1}, locale)
    jobs.deliver(clock.now(), row.id)
    message = BytesParser(policy=policy.default).parsebytes(server.taken[-1].content)
    assert message["Subject"].startswith(mark)
    assert message["List-Unsubscribe"] is None, "a test stops nothing"
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert text.startswith("*** ")
    words = text.partition("*** ")[2].partition(" ***")[0]
    assert words in html.partition("<body")[2][:600]
    assert "a test" in viewer.get("/staff/mails").get_data(as_text=True)


def test_a_form_that_is_too_old_or_asks_for_no_language_sends_nothing(app):
    viewer = at_the_desk(app, "viewer")
    path = "/staff/mails/catalogue/topics/stage"
    page = viewer.get(path).get_data(as_text=True)
    token = re.search(r'id="form-token"[^>]*value="([^"]+)"', page).group(1)
    for fields in ({"form_token": "x", "locale": "en"}, {"form_token": token, "locale": "xx"}):
        data = {"csrf_token": any_token(viewer)} | fields
        assert viewer.post(f"{path}/test", data=data).status_code == 303
    assert db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "topics/stage")).all() == []
