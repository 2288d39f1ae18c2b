"""Support of one reader at the sandbox, in every state that a contribution can be in, reached as in life."""

import html
import itertools
import re
from dataclasses import dataclass
from datetime import timedelta

import requests

from membership.accounts.queries import find_person_by_email
from membership.billing.services import sync
from membership.contributions import queries, services
from membership.contributions.rules import State, Terms, Wish, pause_ends
from membership.contributions.services.starting import Visit
from membership.db import db
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import offer_in
from tests.factories.checkout import FAILS_AT_RENEWAL, GOOD_CARD, pay
from tests.factories.people import make_person, sign_in

KEY = ("sk_test_123456789", "")
numbers = itertools.count(1)


@dataclass
class Support:
    """A reader's support, read anew at each look."""

    sandbox: object
    reference: str
    email: str

    @property
    def row(self):
        db.session.rollback()
        return queries.find_by_reference(self.reference)

    @property
    def state(self) -> State:
        return State(self.row.state)

    @property
    def at_stripe(self) -> dict:
        return ask(self.sandbox, f"subscriptions/{self.row.subscription_id}")

    def charges(self) -> list[int]:
        """What was charged so far, in order."""
        invoices = ask(self.sandbox, f"invoices?limit=100&subscription={self.row.subscription_id}")["data"]
        return [invoice["amount_paid"] for invoice in reversed(invoices) if invoice["amount_paid"]]

    def read_again(self):
        """What webhooks would bring, in one go."""
        subscription_id = self.row.subscription_id
        for invoice in ask(self.sandbox, f"invoices?limit=100&subscription={subscription_id}")["data"]:
            sync("invoice", invoice["id"])
        sync("subscription", subscription_id)

    def url(self, action: str = "") -> str:
        return f"/account/support/{self.reference}{'/' + action if action else ''}"


def ask(sandbox, path: str) -> dict:
    answer = requests.get(f"{sandbox.public_url}/v1/{path}", auth=KEY, timeout=20)
    answer.raise_for_status()
    return answer.json()


def order_fault(sandbox, match: str, do: str, times: int = 1) -> None:
    """Let the next calls that match fail."""
    order = [{"match": match, "times": times, "do": do}]
    requests.post(f"{sandbox.public_url}/_sandbox/faults", json=order, timeout=20).raise_for_status()


def pass_days(sandbox, days: int) -> None:
    """Move the sandbox's clock and ours together."""
    requests.post(f"{sandbox.public_url}/_sandbox/clock", json={"days": days}, timeout=60).raise_for_status()
    ahead = clock.now() - clock.real_now() + timedelta(days=days)
    clock.use_offset(lambda: ahead)


def terms(n_cups: int = 1, rhythm: Rhythm = Rhythm.MONTHLY, *, covers_fees: bool = False) -> Terms:
    offer = offer_in("EUR")
    gift = offer.price(rhythm, n_cups)
    return Terms(gift, gift + offer.fee_for(gift) if covers_fees else gift, offer.cup, rhythm)


def begin_support(sandbox, wanted: Terms | None = None, card: str = GOOD_CARD, email: str | None = None) -> Support:
    """Two cups a month, or what is `wanted`, paid; by a reader of their own, or the one of `email`."""
    wanted = wanted or terms(2)
    number = next(numbers)
    email = email or f"reader{number}@example.org"
    person = find_person_by_email(email)
    wish = Wish(email, wanted.rhythm, wanted.gift, wanted.charge, wanted.cup, None)
    visit = Visit(form_token=f"form-{number}", person_id=person.id if person else None, locale="en", attribution={})
    page = services.start(wish, visit)
    checkout_id = page.rpartition("/")[2]
    assert pay(page, card).status_code in {302, 303}
    sync("checkout_session", checkout_id)
    db.session.rollback()
    return Support(sandbox, queries.find_by_checkout(checkout_id).reference, email)


def support_in(sandbox, state: State) -> Support:
    """Support of a new reader that has come into `state` by what people and clocks do."""
    made = _MAKERS[state](sandbox)
    assert made.state is state, made.state
    return made


def _started(sandbox):
    number = next(numbers)
    email, euros = f"reader{number}@example.org", Money(800, "EUR")
    wish = Wish(email, Rhythm.MONTHLY, euros, euros, Money(400, "EUR"), None)
    person = make_person(email)
    services.start(wish, Visit(f"form-{number}", person.id, "en", {}))
    return Support(sandbox, queries.tries_of(f"form-{number}")[0].reference, email)


def _abandoned(sandbox):
    made = _started(sandbox)
    requests.post(
        f"{sandbox.public_url}/v1/checkout/sessions/{made.row.checkout_id}/expire", auth=KEY, timeout=20
    ).raise_for_status()
    sync("checkout_session", made.row.checkout_id)
    return made


def _past_due(sandbox):
    made = begin_support(sandbox, card=FAILS_AT_RENEWAL)
    pass_days(sandbox, 32)
    made.read_again()
    return made


def _paused(sandbox):
    made = begin_support(sandbox)
    services.pause(made.reference, pause_ends(clock.now(), 2), f"{made.reference}:pause")
    return made


def _cancelling(sandbox):
    made = begin_support(sandbox)
    services.cancel(made.reference, f"{made.reference}:cancel")
    return made


def _lapsed(sandbox):
    made = _past_due(sandbox)
    pass_days(sandbox, 40)
    made.read_again()
    return made


def _ended(sandbox):
    made = _cancelling(sandbox)
    pass_days(sandbox, 32)
    made.read_again()
    return made


_MAKERS = {
    State.STARTED: _started,
    State.ABANDONED: _abandoned,
    State.PAID: lambda sandbox: begin_support(sandbox, terms(1, Rhythm.ONCE)),
    State.ACTIVE: begin_support,
    State.PAST_DUE: _past_due,
    State.PAUSED: _paused,
    State.CANCELLING: _cancelling,
    State.LAPSED: _lapsed,
    State.ENDED: _ended,
}


def sign_in_as(app, support: Support):
    """A browser in which the giver is signed in."""
    client = app.test_client()
    sign_in(client, support.email)
    return client


def press(client, url: str, **changes):
    """Open the page, and send its form that posts as this browser would; `changes` replace what is typed."""
    page = client.get(url)
    assert page.status_code == 200, page.status_code
    forms = re.findall(r'<form[^>]*method="post".*?</form>', page.get_data(as_text=True), re.DOTALL)
    form = next((form for form in forms if 'name="form_token"' in form), None)
    assert form is not None, "this page has no button"
    action = re.search(r'<form[^>]*action="([^"]+)"', form)
    return client.post(html.unescape(action.group(1)) if action else url, data=fields_of(form) | changes)


def fields_of(form: str) -> dict[str, str]:
    """The hidden fields of a form."""
    tags = re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
    pairs = ((re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in tags)
    return {name.group(1): html.unescape(value.group(1) if value else "") for name, value in pairs if name}
