"""The desk's pages about people: finding, doors, and every action against the real SDK and the sandbox."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.accounts.models import Person, TimelineEntry
from membership.accounts.queries import find_person_by_email
from membership.billing.models import PaymentReversal
from membership.billing.services import sync
from membership.contributions.models import Contribution, Refund
from membership.contributions.rules import Action, State, Who, actions_of
from membership.db import db
from membership.front.queries.person_page import view_person
from membership.front.views.people.supporting import ASKS
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.mail.models import OutboxMail
from membership.patrons.queries import comps_of, standing_of
from membership.patrons.rules import Why
from tests.factories.checkout import pay
from tests.factories.listed import make_support
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.faults.conftest import begin, sandbox, settings

__all__ = ["sandbox", "settings"]
READER = "reader1@example.org"


@pytest.fixture(autouse=True)
def fresh_sandbox(sandbox):
    sandbox.reset()


@pytest.fixture
def supporter(app) -> Contribution:
    """Somebody who gives two cups a month and has paid the first."""
    url = begin(1)
    pay(url)
    sync("checkout_session", url.rpartition("/")[2])
    return the_support()


@pytest.fixture
def finance(app):
    """A browser at the desk, of somebody who looks after money."""
    return at_the_desk(app, "finance")


def at_the_desk(app, role):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def the_support() -> Contribution:
    query = select(Contribution).where(Contribution.email == READER)
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def person_of(support) -> Person:
    return db.session.get_one(Person, support.person_id)


def page_of(browser, person) -> str:
    return browser.get(f"/staff/people/{person.public_id}").get_data(as_text=True)


def token_on(page) -> str:
    return re.search(r'id="form-token"[^>]*value="([^"]+)"', page).group(1)


def press(browser, path, token=None, **fields):
    page = browser.get(path).get_data(as_text=True)
    sent = {"csrf_token": any_token(browser), "form_token": token or token_on(page), "reason": "They asked for it"}
    return browser.post(path, data=sent | fields)


def act(browser, support, action, **fields):
    path = f"/staff/people/{person_of(support).public_id}/support/{support.reference}/{action}"
    return press(browser, path, **fields)


def notes(person_id, kind):
    mine = (TimelineEntry.person_id == person_id) & (TimelineEntry.kind == kind)
    return db.session.scalars(select(TimelineEntry).where(mine)).all()


def asked(support) -> list[tuple[str, str, str]]:
    return [
        (entry.details["action"], entry.actor, entry.details["reason"])
        for entry in notes(support.person_id, "support_asked")
    ]


@pytest.mark.parametrize(
    "query",
    [
        "?page=0", "?page=x", "?page=99999999999999999999", "?standing=evil", "?q=" + "x" * 5000, "?q=%25",
        "?after=x", "?after=" + "A" * 900, "?sort=evil", "?cups_from=-1", "?joined_from=2026-02-31",
        "?tag=%F0%9F%8D%B5",
        "?cups_to=99999999999999999999999", "?q=" + "con_" + "x" * 200,
    ],
)  # fmt: skip
def test_odd_addresses_of_the_list_are_no_errors(app, finance, query):
    assert finance.get(f"/staff/people{query}").status_code == 200
    assert finance.get(f"/staff/trouble{query}").status_code == 200


# Doors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_who_only_looks_sees_everything_and_no_button(app, supporter, role):
    browser, person = at_the_desk(app, role), person_of(supporter)
    page = page_of(browser, person)
    assert "€8.29" in page
    assert supporter.reference in page
    for hidden in ("/support/con_", "/refund/", "/comp", "/way-in"):
        assert f"{person.public_id}{hidden}" not in page
    for path in (f"support/{supporter.reference}/cancel", "comp", "way-in", "refund/2026-000001"):
        assert browser.get(f"/staff/people/{person.public_id}/{path}").status_code == 403
        token = {"csrf_token": any_token(browser)}
        assert browser.post(f"/staff/people/{person.public_id}/{path}", data=token).status_code == 403


def test_members_and_strangers_see_nothing(app, supporter, client):
    person = person_of(supporter)
    assert client.get(f"/staff/people/{person.public_id}").status_code == 303
    sign_in(client, READER)
    for path in ("/staff/people", "/staff/trouble", f"/staff/people/{person.public_id}"):
        assert client.get(path).status_code == 403


# Support --------------------------------------------------------------------------------------------------


def test_every_action_of_staff_that_the_table_gives_has_its_page(app, supporter, finance):
    elsewhere = {Action.REFUND, Action.COMP, Action.BOOK_OFFLINE}
    offered = {action for state in State for action in actions_of(state, Who.STAFF)}
    assert offered - elsewhere == set(ASKS)


def test_staff_change_pause_resume_stop_keep_and_end_with_a_reason(app, supporter, finance):
    person = person_of(supporter)
    actor = f"staff:{find_person_by_email('finance@example.org').public_id}"
    assert act(finance, supporter, "change", rhythm="monthly", cups="4").status_code == 303
    assert (the_support().charge_minor, the_support().state) == (1600, "active")
    assert act(finance, supporter, "pause", months="3").status_code == 303
    assert the_support().state == "paused"
    assert act(finance, supporter, "resume").status_code == 303
    assert act(finance, supporter, "cancel").status_code == 303
    assert the_support().state == "cancelling"
    assert act(finance, supporter, "keep").status_code == 303
    assert the_support().state == "active"
    assert act(finance, supporter, "cancel_now").status_code == 303
    assert the_support().state == "ended"
    words = [action for action, _who, _why in asked(supporter)]
    assert sorted(words) == sorted(["change", "pause", "resume", "cancel", "keep", "cancel_now"])
    assert {(who, why) for _what, who, why in asked(supporter)} == {(actor, "They asked for it")}
    assert standing_of(person.id, clock.now()).is_patron, "what is paid for stays theirs"
    assert "They asked for it" in page_of(finance, person)


@pytest.mark.parametrize(
    ("reason", "said"),
    [(" ", "Please say why"), ("x" * 201, "at most 200"), ("Wrote from olena@example.org", "leave addresses out")],
)
def test_nothing_is_done_without_a_reason_that_may_be_kept(app, supporter, finance, reason, said):
    answer = act(finance, supporter, "cancel_now", reason=reason)
    assert (answer.status_code, the_support().state) == (422, "active")
    assert said in answer.get_data(as_text=True)


def test_a_double_click_asks_once(app, supporter, finance):
    path = f"/staff/people/{person_of(supporter).public_id}/support/{supporter.reference}/cancel"
    token = token_on(finance.get(path).get_data(as_text=True))
    answers = [
        finance.post(path, data={"csrf_token": any_token(finance), "form_token": token, "reason": "Once"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(asked(supporter)) == 1


def test_a_form_of_another_page_does_nothing(app, supporter, finance):
    path = f"/staff/people/{person_of(supporter).public_id}/support/{supporter.reference}/"
    token = token_on(finance.get(path + "cancel").get_data(as_text=True))
    answer = finance.post(
        path + "cancel_now", data={"csrf_token": any_token(finance), "form_token": token, "reason": "x"}
    )
    assert (answer.status_code, the_support().state) == (409, "active")


def test_what_is_not_offered_is_not_there(app, supporter, finance):
    stranger = make_person("ivan@example.org")
    base = f"/staff/people/{person_of(supporter).public_id}/support/{supporter.reference}"
    for path in (f"{base}/resume", f"{base}/keep", f"{base}/fly", f"{base}/refund"):
        assert finance.get(path).status_code == 404
    assert finance.get(f"/staff/people/{stranger.public_id}/support/{supporter.reference}/cancel").status_code == 404


def test_a_provider_that_is_down_is_said_and_nothing_is_lost(app, supporter, finance, sandbox):
    known = app.extensions["membership.provider"]
    path = f"/staff/people/{person_of(supporter).public_id}/support/{supporter.reference}/cancel"
    page = finance.get(path).get_data(as_text=True)
    app.extensions["membership.provider"] = Down()
    try:
        fields = {"csrf_token": any_token(finance), "form_token": token_on(page), "reason": "They asked"}
        answer = finance.post(path, data=fields)
    finally:
        app.extensions["membership.provider"] = known
    assert answer.status_code == 503
    assert "did not answer" in answer.get_data(as_text=True)
    assert the_support().state == "active"


class Down:
    """A provider that refuses every ask."""

    name = "down"

    def __getattr__(self, name):
        def fail(*_args, **_kwargs):
            raise ProviderFailed("down", "It is down.", retryable=True)

        return fail


# Money ----------------------------------------------------------------------------------------------------


def refund_path(supporter) -> str:
    person = person_of(supporter)
    number = view_person(person, clock.now()).payments.rows[0].receipt_number
    return f"/staff/people/{person.public_id}/refund/{number}"


def test_money_goes_back_only_after_a_second_look(app, supporter, finance):
    path = refund_path(supporter)
    look = press(finance, path, amount="4.00")
    assert look.status_code == 200
    assert "€4.00 goes back" in look.get_data(as_text=True)
    assert db.session.scalars(select(Refund)).all() == []
    token = token_on(look.get_data(as_text=True))
    fields = {"csrf_token": any_token(finance), "form_token": token, "amount": "4.00", "reason": "Paid twice"}
    for _ in range(2):
        assert finance.post(path, data=fields | {"confirmed": "y"}).status_code == 303
    refund = db.session.scalars(select(Refund), execution_options={"populate_existing": True}).one()
    assert (refund.amount_minor, refund.reason) == (400, "Paid twice")
    assert refund.actor.startswith("staff:per_")
    assert [row.amount_minor for row in db.session.scalars(select(PaymentReversal))] == [400]
    assert standing_of(supporter.person_id, clock.now()).is_patron, "a part changes no membership"


def test_the_whole_ends_the_membership(app, supporter, finance):
    path = refund_path(supporter)
    look = press(finance, path, amount="8.29").get_data(as_text=True)
    assert "the membership that it paid for ends" in look
    press(finance, path, token=token_on(look), amount="8.29", confirmed="y")
    assert not standing_of(supporter.person_id, clock.now() + timedelta(seconds=5)).is_patron
    assert "Nothing is left to give back" in finance.get(path).get_data(as_text=True)


@pytest.mark.parametrize("amount", ["8.30", "0", "-1", "much", "1e9"])
def test_no_more_goes_back_than_came(app, supporter, finance, amount):
    path = refund_path(supporter)
    for confirmed in ("", "y"):
        assert press(finance, path, amount=amount, confirmed=confirmed).status_code == 422
    assert db.session.scalars(select(Refund)).all() == []


# Comps and the way in -------------------------------------------------------------------------------------


def test_a_comp_is_granted_listed_and_taken_back(app, finance):
    guest = make_person("guest@example.org")
    until = (clock.now() + timedelta(days=30)).date().isoformat()
    path = f"/staff/people/{guest.public_id}/comp"
    assert press(finance, path, until=until, reason="Spoke at our evening").status_code == 303
    assert standing_of(guest.id, clock.now()).why is Why.COMP
    assert "Spoke at our evening" in page_of(finance, guest)
    revoke = f"{path}/{comps_of(guest.id)[0].id}/revoke"
    assert press(finance, revoke, reason="A mistake").status_code == 303
    assert not standing_of(guest.id, clock.now() + timedelta(seconds=5)).is_patron
    kinds = db.session.scalars(select(OutboxMail.kind).where(OutboxMail.to_address == guest.email)).all()
    assert kinds == ["patrons/comp", "patrons/comp_revoked"]


@pytest.mark.parametrize("until", ["", "soon", "2020-01-01", "9999-12-31", "2999-01-01"])
def test_a_comp_needs_a_day_that_somebody_will_see(app, finance, until):
    guest = make_person("guest@example.org")
    assert press(finance, f"/staff/people/{guest.public_id}/comp", until=until).status_code == 422
    assert comps_of(guest.id) == []


def test_the_way_in_is_mailed_without_a_secret(app, finance):
    reader = make_person()
    assert press(finance, f"/staff/people/{reader.public_id}/way-in").status_code == 303
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "accounts/way_in")).one()
    assert (mail.to_address, mail.args) == (reader.email, {"person_id": reader.id})
    assert notes(reader.id, "way_in_sent")[0].details == {"reason": "They asked for it"}


# Trouble --------------------------------------------------------------------------------------------------


def test_failed_payments_are_listed_with_what_to_tell(app, finance):
    now = clock.now()
    make_support(make_person("late@example.org"), State.PAST_DUE, failed_at=now, failure_reason="insufficient_funds")
    make_support(make_person("fine@example.org"), State.ACTIVE)
    page = finance.get("/staff/trouble").get_data(as_text=True)
    assert "late@example.org" in page
    assert "there was not enough money" in page
    assert "mailto:late@example.org" in page
    assert "fine@example.org" not in page
    assert "/pay_now" in page
    home = finance.get("/staff").get_data(as_text=True)
    assert re.search(r"/staff/trouble.*?>1<", home, re.DOTALL)
