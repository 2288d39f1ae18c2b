"""Notices that never reached us come from the provider's list: all of them, once, and cheaply."""

import json

import pytest
import requests
from sqlalchemy import func, select

from membership.billing import jobs, sweeping
from membership.billing.models import Bookmark, InboxEvent
from membership.billing.port import NoticePage
from membership.billing.providers.stripe import StripeProvider
from membership.billing.providers.stripe.notices import EVENTS
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from tests.billing.conftest import make_event, post, sign

AUTH = ("sk_test_123456789", "")


@pytest.fixture
def dark(app, settings, sandbox):
    """The app with the real provider on the sandbox, whose notices reach nobody."""
    known = settings.model_copy(update={"stripe_api_base": sandbox.url})
    app.extensions["membership.settings"] = known
    app.extensions["membership.provider"] = StripeProvider(known)
    return sandbox


def ask(box, method: str, path: str, **form):
    answer = requests.request(method, f"{box.url}/v1/{path}", auth=AUTH, data=form, timeout=20)
    answer.raise_for_status()
    return answer.json()


def end_a_subscription(box) -> None:
    """Four events that we listen to, and several that we do not."""
    customer = ask(box, "POST", "customers")["id"]
    card = ask(box, "POST", "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    price = {"currency": "eur", "unit_amount": 400, "recurring[interval]": "month", "product_data[name]": "Coffee"}
    price_id = ask(box, "POST", "prices", **price)["id"]
    items = {"customer": customer, "default_payment_method": card, "items[0][price]": price_id}
    ask(box, "DELETE", f"subscriptions/{ask(box, 'POST', 'subscriptions', **items)['id']}")


def ours_at(box) -> list[str]:
    """The ids of all events there that we listen to, oldest first."""
    answer = requests.get(f"{box.url}/_sandbox/events?limit=1000", timeout=20).json()
    return [event["id"] for event in reversed(answer["data"]) if event["type"] in EVENTS]


def here() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(InboxEvent.id)))


def test_what_was_never_delivered_is_stored_as_it_is_listed_and_worked_off(dark):
    end_a_subscription(dark)
    expected = ours_at(dark)
    assert len(expected) >= 4
    jobs.sweep(clock.now())
    assert here() == set(expected)
    rows = db.session.scalars(select(InboxEvent)).all()
    assert all(row.is_swept and row.signed_at == row.created_at for row in rows)
    assert all(json.loads(row.body)["id"] == row.id for row in rows)
    assert {row.state for row in rows} == {"received"}
    jobs.drain(clock.now())
    assert set(db.session.scalars(select(InboxEvent.state))) == {"foreign"}


def test_a_notice_that_was_delivered_is_not_changed_by_the_sweep(client, dark):
    end_a_subscription(dark)
    first = ours_at(dark)[0]
    event = requests.get(f"{dark.url}/v1/events/{first}", auth=AUTH, timeout=20).json()
    raw = json.dumps(event).encode()
    assert post(client, raw, **{"Stripe-Signature": sign(raw)}).status_code == 200
    sweeping.sweep(clock.now())
    row = db.session.get_one(InboxEvent, first)
    assert not row.is_swept
    assert row.body == raw
    assert len(here()) == len(ours_at(dark))


def test_only_what_followed_the_last_sweep_is_asked_for_again(dark):
    end_a_subscription(dark)
    sweeping.sweep(clock.now())
    dark.control("advance", days=1)
    end_a_subscription(dark)
    n_missing = len(set(ours_at(dark)) - here())
    assert n_missing >= 4
    assert sweeping.sweep(clock.now()) == n_missing
    assert here() == set(ours_at(dark))
    assert sweeping.sweep(clock.now()) == 0


def test_four_dark_days_with_hundreds_of_notices_come_in_pages_oldest_first(dark, monkeypatch):
    end_a_subscription(dark)
    sweeping.sweep(clock.now())
    for _ in range(4):
        dark.control("advance", days=1)
        for _ in range(8):
            end_a_subscription(dark)
    stored = []
    take_in = sweeping.inbox.take_in

    def watched(rows):
        stored.extend(row.notice for row in rows)
        return take_in(rows)

    monkeypatch.setattr(sweeping.inbox, "take_in", watched)
    monkeypatch.setattr("membership.billing.providers.stripe.listing.PAGE", 10)
    sweeping.sweep(clock.now())
    assert here() == set(ours_at(dark))
    name = db.session.get_one(Bookmark, "sweep events 1")
    of_list = [notice for notice in stored if notice.type in sorted(EVENTS)[:20]]
    newest_first_again = next(i for i, notice in enumerate(of_list[1:]) if notice.created_at < of_list[i].created_at)
    assert newest_first_again > 20
    assert name.at > of_list[0].created_at


def test_a_bookmark_that_the_provider_forgot_begins_anew_from_its_day(dark):
    end_a_subscription(dark)
    sweeping.sweep(clock.now())
    for bookmark in db.session.scalars(select(Bookmark)):
        bookmark.ref = "evt_of_last_year"
    db.session.commit()
    end_a_subscription(dark)
    sweeping.sweep(clock.now())
    assert here() == set(ours_at(dark))
    assert "evt_of_last_year" not in set(db.session.scalars(select(Bookmark.ref)))


def test_a_sweep_that_dies_in_the_middle_misses_nothing_the_next_time(dark, monkeypatch):
    end_a_subscription(dark)
    sweeping.sweep(clock.now())
    dark.control("advance", days=2)
    for _ in range(6):
        end_a_subscription(dark)
    monkeypatch.setattr("membership.billing.providers.stripe.listing.PAGE", 5)
    provider = sweeping._provider()
    pages, whole = iter(range(100)), provider.list_notices

    def breaks_off(name, **asked) -> NoticePage:
        if next(pages) >= 2:
            raise ProviderFailed("provider_unreachable", "Gone.", retryable=True)
        return whole(name, **asked)

    monkeypatch.setattr(provider, "list_notices", breaks_off)
    jobs.sweep(clock.now())
    assert len(here()) < len(ours_at(dark))
    monkeypatch.setattr(provider, "list_notices", whole)
    sweeping.sweep(clock.now())
    assert here() == set(ours_at(dark))


def test_a_listed_event_that_cannot_be_used_stops_no_other(dark, monkeypatch):
    end_a_subscription(dark)
    provider = sweeping._provider()
    ask_stripe = provider._ask

    def with_a_bad_one(endpoint, question):
        answer = ask_stripe(endpoint, question)
        if endpoint == "events" and answer["data"]:
            answer["data"].insert(1, make_event("evt_bad", livemode=True))
        return answer

    monkeypatch.setattr(provider, "_ask", with_a_bad_one)
    sweeping.sweep(clock.now())
    assert here() == set(ours_at(dark))
    assert db.session.scalar(select(func.count()).select_from(InboxEvent).where(InboxEvent.id == "evt_bad")) == 0
