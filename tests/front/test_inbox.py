"""The desk's inbox: finding notices, reading one, and working it off again through the drain as it always runs."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from membership.billing import jobs as billing_jobs
from membership.billing.models import InboxEvent, Payment
from membership.billing.port import PaymentReceived, Reading
from membership.db import db
from membership.kernel import clock
from membership.operations.models import Intervention
from membership.operations.queries import notices as queries
from membership.operations.queries.days import bounds_of
from membership.operations.queries.notices import Wanted
from tests.billing.conftest import LaidDown, make_event, make_payment, post
from tests.factories.people import any_token, make_staff, sign_in


def at_the_desk(app, role="finance"):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def add(event_id, *, minutes=0, state="done", **changes) -> None:
    at = clock.real_now() - timedelta(minutes=minutes)
    is_open = state in queries.OPEN
    values = {
        "type": "invoice.paid", "object_kind": "invoice", "object_id": f"in_{event_id}", "created_at": at,
        "signed_at": at, "received_at": at, "body": json.dumps(make_event(event_id)).encode(), "state": state,
        "next_try_at": at if is_open else None, "done_at": None if is_open else at,
    }  # fmt: skip
    db.session.add(InboxEvent(id=event_id, **(values | changes)))
    db.session.commit()


def state_of(event_id) -> str:
    return db.session.scalar(select(InboxEvent.state).where(InboxEvent.id == event_id))


def ids(found) -> list[str]:
    return [row.id for row in found.rows]


# Finding --------------------------------------------------------------------------------------------------


@pytest.fixture
def some(app):
    add("evt_a", minutes=1, state="received")
    add("evt_b", minutes=2, state="waiting", type="customer.subscription.updated", object_id="sub_1", n_tries=3)
    add("evt_c", minutes=3, state="dead", object_id="in_9", last_error="KeyError", traceback="Trace of KeyError")
    add("evt_d", minutes=4, object_id="in_9", type="invoice.payment_failed")
    add("evt_e", minutes=60 * 24 * 40, state="foreign", body=None)
    add("evt_f", minutes=5, state="ignored", type="product.updated", object_kind="product", object_id="")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), "a b c d f e"),
        (Wanted(text="evt_c"), "c"),
        (Wanted(text="in_9"), "c d"),
        (Wanted(text="in_"), ""),
        (Wanted(type="invoice.paid"), "a c e"),
        (Wanted(type="invoice."), "a c d e"),
        (Wanted(type="in%"), ""),
        (Wanted(state="dead"), "c"),
        (Wanted(state="waiting"), "b"),
        (Wanted(state="foreign"), "e"),
        (Wanted(text="in_9", state="done"), "d"),
    ],
)
def test_notices_are_found_by_id_thing_type_and_state(app, some, wanted, found):
    assert ids(queries.search(wanted, None)) == [f"evt_{name}" for name in found.split()]


def test_a_day_is_one_of_the_newsroom(app):
    day = (clock.real_now() - timedelta(days=3)).date()
    begin, end = bounds_of(day)
    for name, at in {"before": begin - timedelta(seconds=1), "first": begin, "after": end}.items():
        add(f"evt_{name}", received_at=at)
    assert ids(queries.search(Wanted(day=day), None)) == ["evt_first"]


def test_pages_lose_nobody_also_where_many_came_in_one_moment(app):
    at = clock.real_now()
    for number in range(queries.PAGE_LENGTH + 5):
        add(f"evt_{number:03}", received_at=at)
    first = queries.search(Wanted(), None)
    add("evt_new", minutes=-1)
    second = queries.search(Wanted(), first.older)
    assert ids(first) + ids(second) == [f"evt_{n:03}" for n in reversed(range(queries.PAGE_LENGTH + 5))]
    assert second.older is None


def test_what_was_set_aside_is_found_by_its_own_index(app, some):
    """A million notices that are done must not be read to find the three that are not."""
    if db.engine.dialect.name != "sqlite":
        db.session.execute(text("SET enable_seqscan = off"))
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    query = select(InboxEvent.id).where(*queries._conditions(Wanted(state="dead")))
    query = query.order_by(InboxEvent.received_at.desc())
    statement = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    plan = " ".join(str(row) for row in db.session.execute(text(f"{explain} {statement}")))
    assert "ix_inbox_events_set_aside" in plan


# Doors and pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_notices_name_people_so_not_everybody_reads_them(app, some, role):
    browser = at_the_desk(app, role)
    for path in ("", "/evt_c", "/evt_c/replay", "/replay/all"):
        assert browser.get(f"/staff/inbox{path}").status_code == 403
    token = {"csrf_token": any_token(browser)}
    assert browser.post("/staff/inbox/evt_c/replay", data=token).status_code == 403
    assert browser.post("/staff/inbox/replay/all", data=token).status_code == 403


@pytest.mark.parametrize(("role", "sees_trace"), [("finance", False), ("owner", True)])
def test_a_notice_is_shown_with_its_text_and_to_owners_with_its_trace(app, some, role, sees_trace):
    page = at_the_desk(app, role).get("/staff/inbox/evt_c").get_data(as_text=True)
    assert "&#34;object&#34;: &#34;event&#34;," in page
    assert "KeyError" in page
    assert "/staff/inbox/evt_d" in page, "others about the same thing"
    assert ("Trace of KeyError" in page) == sees_trace


def test_an_emptied_notice_says_so(app, some):
    assert "Its text was emptied" in at_the_desk(app).get("/staff/inbox/evt_e").get_data(as_text=True)


@pytest.mark.parametrize(
    "query", ["?state=evil", "?day=never", "?day=2026-02-30", "?before=evt_none", "?q=" + "x" * 3000, "?type=."]
)
def test_odd_addresses_are_no_errors(app, some, query):
    assert at_the_desk(app).get(f"/staff/inbox{query}").status_code == 200


def test_the_list_keeps_what_is_looked_for_in_its_links(app, some):
    page = at_the_desk(app).get("/staff/inbox?type=invoice.&state=dead").get_data(as_text=True)
    assert "/staff/inbox?type=invoice.&amp;state=done" in page
    assert "/staff/inbox?type=invoice.&#34;" not in page
    assert "KeyError" in page


# Working off again ----------------------------------------------------------------------------------------


def token_on(page) -> str:
    return re.search(r'id="form-token"[^>]*value="([^"]+)"', page).group(1)


def press(browser, path, **fields):
    page = browser.get(path).get_data(as_text=True)
    until = re.search(r'name="until"[^>]*value="([^"]*)"', page)
    sent = {"csrf_token": any_token(browser), "form_token": token_on(page), "reason": "The books were short"}
    if until:
        sent["until"] = until.group(1)
    return browser.post(path, data=sent | fields), sent | fields


@pytest.fixture
def provider(app, settings):
    laid_down = LaidDown(settings)
    app.extensions["membership.provider"] = laid_down
    app.extensions["membership.handlers"] = {PaymentReceived: ()}
    return laid_down


def test_a_notice_that_was_given_up_is_booked_once_the_cause_is_mended(app, client, provider):
    """Six failures of our own code, an emptied body, and then the button."""
    provider.readings["in_1"] = KeyError("a bug of ours")
    post(client, make_event())
    for _ in range(6):
        db.session.execute(text("UPDATE inbox_events SET next_try_at = received_at"))
        db.session.commit()
        billing_jobs.drain(clock.now())
    assert state_of("evt_1") == "dead"
    db.session.execute(text("UPDATE inbox_events SET body = NULL"))
    db.session.commit()
    provider.readings["in_1"] = Reading(facts=[make_payment()], is_ours=True)
    finance = at_the_desk(app)
    answer, sent = press(finance, "/staff/inbox/evt_1/replay")
    assert (answer.status_code, state_of("evt_1")) == (303, "received")
    billing_jobs.drain(clock.now())
    assert state_of("evt_1") == "done"
    assert [row.provider_id for row in db.session.scalars(select(Payment))] == ["in_1"]
    page = finance.get("/staff/inbox/evt_1").get_data(as_text=True)
    assert "The books were short" in page
    # The same press once more, sent by a browser that went back, and another press: nothing is booked twice.
    assert finance.post("/staff/inbox/evt_1/replay", data=sent).status_code == 303
    assert state_of("evt_1") == "done"
    press(finance, "/staff/inbox/evt_1/replay")
    billing_jobs.drain(clock.now())
    assert (state_of("evt_1"), db.session.query(Payment).count()) == ("done", 1)


def test_a_fresh_try_has_all_of_its_tries_before_it(app, client, provider):
    provider.readings["in_9"] = KeyError("still a bug")
    add("evt_c", state="dead", object_id="in_9", n_tries=6, n_faults=6, last_error="KeyError")
    press(at_the_desk(app), "/staff/inbox/evt_c/replay")
    billing_jobs.drain(clock.now())
    row = db.session.get(InboxEvent, "evt_c", populate_existing=True)
    assert (row.state, row.n_faults) == ("waiting", 1)


def test_nothing_happens_without_a_reason_or_with_a_form_of_another_page(app, some):
    finance = at_the_desk(app)
    for fields, status in (({"reason": " "}, 422), ({"reason": "a@b.org"}, 422), ({"form_token": "x"}, 409)):
        assert press(finance, "/staff/inbox/evt_c/replay", **fields)[0].status_code == status
    _answer, sent = press(finance, "/staff/inbox/evt_d/replay", reason="")
    other = finance.post("/staff/inbox/evt_c/replay", data=sent | {"reason": "x"})
    assert (other.status_code, state_of("evt_c")) == (409, "dead")
    assert db.session.query(Intervention).count() == 0


def test_what_names_nothing_that_can_be_read_cannot_be_worked_off(app, some):
    finance = at_the_desk(app)
    assert "cannot be worked off once more" in finance.get("/staff/inbox/evt_f").get_data(as_text=True)
    assert finance.get("/staff/inbox/evt_f/replay").status_code == 404


def test_all_that_were_given_up_are_shown_first_and_then_only_those_are_taken_up(app, some):
    add("evt_g", minutes=9, state="dead", last_error="KeyError")
    add("evt_h", minutes=9, state="dead", last_error="Other", object_kind="product")
    finance = at_the_desk(app)
    page = finance.get("/staff/inbox/replay/all").get_data(as_text=True)
    assert "2 notices would be read again" in page
    sent = {"csrf_token": any_token(finance), "form_token": token_on(page), "reason": "Mended"}
    sent["until"] = re.search(r'name="until"[^>]*value="([^"]*)"', page).group(1)
    add("evt_later", minutes=-2, state="dead")
    assert finance.post("/staff/inbox/replay/all", data=sent).status_code == 303
    states = {name: state_of(f"evt_{name}") for name in ("c", "g", "h", "later")}
    assert states == {"c": "received", "g": "received", "h": "dead", "later": "dead"}
    kept = {(row.subject, row.reason) for row in db.session.scalars(select(Intervention))}
    assert kept == {("evt_c", "Mended"), ("evt_g", "Mended")}
    assert finance.post("/staff/inbox/replay/all", data=sent | {"until": clock.now().isoformat()}).status_code == 409


def test_where_nothing_was_given_up_there_is_no_button(app):
    page = at_the_desk(app).get("/staff/inbox/replay/all").get_data(as_text=True)
    assert "Nothing was given up" in page
    assert 'id="form-token"' not in page
