"""One newsroom with the sandbox beside it, and time that passes for both: news arrives as signed notices."""

import html
import re
from datetime import timedelta
from urllib.parse import urljoin

import requests
from sqlalchemy import func, select

from membership.accounts.queries import find_person_by_email
from membership.billing import jobs as billing_jobs
from membership.contributions import queries
from membership.contributions.rules import Wish
from membership.contributions.services import start
from membership.contributions.services.starting import Visit
from membership.db import db
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from membership.patrons.queries import standing_of
from tests.factories.checkout import GOOD_CARD, pay
from tests.faults.conftest import deliver

KEY = ("sk_test_123456789", "")


class Life:
    """What a reader does and what time brings; every step ends with all news told and booked."""

    def __init__(self, app, sandbox) -> None:
        self.app, self.sandbox, self.told, self.n_forms = app, sandbox, set(), 0
        self.client = app.test_client()

    # Time and news

    def ask(self, method: str, path: str, **body):
        answer = requests.request(method, self.sandbox.public_url + path, json=body or None, auth=KEY, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def pass_time(self, **span) -> None:
        now = self.ask("POST", "/_sandbox/advance", **span)
        offset = timedelta(seconds=now["offset_seconds"])
        clock.use_offset(lambda: offset)
        self.hear()

    def hear(self) -> None:
        """Every event that was not delivered yet, oldest first, until nothing new comes."""
        while news := [event for event in self._events() if event["id"] not in self.told]:
            for event in reversed(news):
                deliver(self.client, event)
                self.told.add(event["id"])
            db.session.rollback()
            billing_jobs.drain(clock.now())
            db.session.rollback()

    def _events(self) -> list[dict]:
        found, after = [], ""
        while True:
            page = self.ask("GET", f"/v1/events?limit=100{after}")
            found += page["data"]
            if not page["has_more"] or page["data"][-1]["id"] in self.told:
                return found
            after = f"&starting_after={page['data'][-1]['id']}"

    # What a reader does

    def begin(self, email="reader@example.org", rhythm=Rhythm.MONTHLY, minor=800) -> str:
        """Press the button of the ask; the address of the payment page."""
        self.n_forms += 1
        gift = Money(minor, "EUR")
        wish = Wish(email=email, rhythm=rhythm, gift=gift, charge=gift, cup=Money(400, "EUR"), public_name=None)
        visit = Visit(form_token=f"form-{self.n_forms}", person_id=None, locale="en", attribution={})
        return start(wish, visit)

    def give(self, card=GOOD_CARD, **wish) -> str:
        """Give, and pay; the reference."""
        url = self.begin(**wish)
        assert pay(url, card).status_code in {302, 303}
        self.hear()
        return queries.find_by_checkout(url.rpartition("/")[2]).reference

    def give_confirmed(self, card, **wish) -> str:
        """Give with a card whose bank asks for a confirmation, and confirm it; the reference."""
        url = self.begin(**wish)
        asked = pay(url, card)
        page = asked.headers.get("Location", url)
        confirmed = send_form(urljoin(url, page), {"decision": "yes"})
        assert confirmed.status_code in {302, 303}, confirmed.text[:300]
        self.hear()
        return queries.find_by_checkout(url.rpartition("/")[2]).reference

    def pay_by_debit(self, account: str, **wish) -> str:
        """Pay by SEPA debit at the payment page; the reference."""
        ways = self.ask("GET", "/_sandbox/settings")["payment_methods"]
        self.ask("POST", "/_sandbox/settings", payment_methods=[*ways, "sepa_debit"])
        url = self.begin(**wish)
        self.ask("POST", "/_sandbox/settings", payment_methods=ways)
        typed = {"iban": account, "billingName": "A Reader", "email": "reader@example.org"}
        assert send_form(url, typed).status_code in {302, 303}
        self.hear()
        return queries.find_by_checkout(url.rpartition("/")[2]).reference

    # What there is

    def row(self, reference):
        db.session.rollback()
        return queries.get_by_reference(reference)

    def standing(self, email="reader@example.org"):
        db.session.rollback()
        return standing_of(find_person_by_email(email).id, clock.now())

    def mails(self, kind) -> list[OutboxMail]:
        db.session.rollback()
        return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == f"contributions/{kind}")))

    def says(self, kind):
        """What the newest mail of that kind says when it leaves now; None where it does not leave."""
        mail = self.mails(kind)[-1]
        return find_entry(mail.kind).build(mail.args, clock.now())

    def payments(self, reference) -> list[dict]:
        """Payments under a reference in the sandbox's own books."""
        books = self.ask("GET", "/_sandbox/books")
        return [row for row in books["payments"] if row["metadata"].get("reference") == reference]


def count(model) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model))


def send_form(url: str, typed: dict) -> requests.Response:
    """Fill in the one form of a hosted page and send it."""
    with requests.Session() as browser:
        page = browser.get(url, timeout=20).text
        form = re.search(r"<form[^>]*method=\"post\".*?</form>", page, re.DOTALL).group(0)
        hidden = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form)
        action = re.search(r'<form[^>]*action="([^"]*)"', form)
        fields = {name: html.unescape(value) for name, value in hidden} | typed
        target = urljoin(url, html.unescape(action.group(1)) if action else "")
        return browser.post(target, data=fields, allow_redirects=False, timeout=20)
