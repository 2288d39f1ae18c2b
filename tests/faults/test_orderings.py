"""The news of a first contribution in every order, once and twice, around the return page: one end of it all."""

import itertools

import pytest
import requests
from sqlalchemy import text

from membership.billing.providers.stripe.notices import EVENTS
from membership.contributions import queries
from membership.db import db
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.wiring import JOBS
from tests.factories.checkout import pay
from tests.faults.conftest import begin, deliver


def drain():
    JOBS["billing.drain"].function(clock.now())


def events_about(sandbox, checkout_id: str) -> list[dict]:
    """The events of one finished checkout to which we listen, as Stripe would send them."""

    def ask(path):
        answer = requests.get(f"{sandbox.public_url}/v1/{path}", auth=("sk_test_123456789", ""), timeout=20)
        return answer.json()

    session = ask(f"checkout/sessions/{checkout_id}")
    wanted = {checkout_id, session["subscription"], session["invoice"], session["payment_intent"]} - {None}
    found = []
    for event in ask("events?limit=100")["data"]:
        thing = event["data"]["object"]
        if EVENTS.get(event["type"]) and ({thing["id"], thing.get("invoice")} & wanted):
            found.append(event)
    return found[::-1]


def outcome(checkout_id: str) -> dict:
    """Everything that the money did, without names and moments of this one case."""
    row = queries.find_by_checkout(checkout_id)
    reference, person = {"reference": row.reference}, {"person": row.person_id}

    def rows(statement, **values):
        return sorted(tuple(found) for found in db.session.execute(text(statement), values))

    return {
        "contribution": (row.state, row.charge, bool(row.subscription_id), bool(row.customer_id), row.checkout_url),
        "next": bool(row.next_payment_at),
        "payments": rows(
            "SELECT charged_minor, fee_minor, currency FROM payments WHERE reference = :reference", **reference
        ),
        "ledger": rows(
            "SELECT t.kind, e.account, e.currency, e.amount_minor FROM journal_transactions t"
            " JOIN journal_entries e ON e.transaction_id = t.id"
            " JOIN payments p ON p.provider_id = t.provider_ref WHERE p.reference = :reference",
            **reference,
        ),
        "grants": rows("SELECT cause, n_months, revoked_at FROM coverage_grants WHERE person_id = :person", **person),
        "spans": len(rows("SELECT id FROM coverage_spans WHERE person_id = :person", **person)),
        "movements": rows("SELECT kind, yearly_delta_minor FROM movements WHERE person_id = :person", **person),
        "timeline": rows("SELECT kind FROM timeline_entries WHERE person_id = :person", **person),
        "mails": rows(
            "SELECT m.kind FROM outbox_mails m JOIN people p ON p.email = m.to_address WHERE p.id = :person", **person
        ),
    }


@pytest.mark.parametrize("rhythm", [Rhythm.MONTHLY, Rhythm.ONCE])
@pytest.mark.timeout(900)
def test_every_order_of_the_first_news_ends_in_the_same_books(app, client, sandbox, rhythm):
    expected = None
    case = itertools.count()

    def live_through(order, n_times, return_at):
        url = begin(next(case), rhythm)
        answer = pay(url)
        assert answer.status_code in {302, 303}, answer.text[:500]
        checkout_id = answer.headers["Location"].rpartition("=")[2]
        events = events_about(sandbox, checkout_id)
        for position, index in enumerate([*order, None]):
            if position == return_at:
                assert client.get(f"/contribute/thanks?session={checkout_id}").status_code == 200
            if index is not None:
                for _time in range(n_times):
                    deliver(client, events[index])
                    drain()
        return outcome(checkout_id)

    n_events = len(probe_events(client, sandbox, next(case), rhythm))
    assert n_events >= (3 if rhythm is Rhythm.MONTHLY else 1)
    for order in itertools.permutations(range(n_events)):
        for n_times, return_at in itertools.product((1, 2), range(n_events + 1)):
            end = live_through(order, n_times, return_at)
            expected = expected or end
            assert end == expected, (order, n_times, return_at)
    assert len(expected["payments"]) == expected["spans"] == len(expected["grants"]) == 1
    assert expected["mails"] == [("contributions/receipt",), ("contributions/welcome",)]


@pytest.mark.timeout(900)
def test_every_order_of_a_support_that_ended_at_once_ends_it(app, client, sandbox):
    """Paid and cancelled at the provider while our worker was down: whatever is heard first, it is over."""
    number = itertools.count(10_000)
    ends = []

    def begin_and_cancel():
        checkout_id = pay(begin(next(number))).headers["Location"].rpartition("=")[2]
        auth = ("sk_test_123456789", "")
        session = requests.get(f"{sandbox.public_url}/v1/checkout/sessions/{checkout_id}", auth=auth, timeout=20).json()
        ended = requests.delete(
            f"{sandbox.public_url}/v1/subscriptions/{session['subscription']}", auth=auth, timeout=20
        )
        assert ended.json()["status"] == "canceled"
        return checkout_id, events_about(sandbox, checkout_id)

    n_events = len(begin_and_cancel()[1])
    assert n_events >= 4
    for order in itertools.permutations(range(n_events)):
        checkout_id, events = begin_and_cancel()
        for index in order:
            deliver(client, events[index])
            drain()
        ends.append(outcome(checkout_id))
        assert ends[-1] == ends[0], order
    assert ends[0]["contribution"][0] == "ended"
    assert [kind for kind, _ in ends[0]["movements"]] == ["lost", "new"]


def probe_events(client, sandbox, number, rhythm):
    answer = pay(begin(number, rhythm))
    return events_about(sandbox, answer.headers["Location"].rpartition("=")[2])
