"""After a story of faults: is everything there once, and are our books the provider's books?"""

import requests

from membership.billing import books
from membership.db import db
from membership.kernel import clock
from tests.faults.reader import Reader


class Reckoning:
    """Collects what is not as it should be, in words."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def expect(self, what: str, wanted, seen) -> None:
        if wanted != seen:
            self.found.append(f"{what}: {seen} instead of {wanted}")


def differences(house, reader: Reader, *, n_abandoned: int = 0, state: str = "active") -> list[str]:
    """What is wrong with this reader, who changed their mind `n_abandoned` times and then paid once, and with the
    books. `state` is that of the paid contribution.
    """
    reckoning = Reckoning()
    expect, rows = reckoning.expect, house.rows
    mine = rows("SELECT reference, state, person_id FROM contributions WHERE email = :e", e=reader.email)
    expect("contributions", sorted([*["abandoned"] * n_abandoned, state]), sorted(found for _, found, _ in mine))
    references = {reference for reference, _, _ in mine}
    expect("payments", 1, len([row for row in rows("SELECT reference FROM payments") if row[0] in references]))
    person = {"p": next((person_id for _, found, person_id in mine if found != "abandoned"), None)}
    grants = rows("SELECT cause FROM coverage_grants WHERE person_id = :p", **person)
    expect("grants of coverage", [("paid",)], grants)
    movements = rows("SELECT kind FROM movements WHERE person_id = :p", **person)
    expect("movements", [("new",)] if state == "active" else [], movements)
    said = "SELECT kind FROM timeline_entries WHERE kind = 'payment_received' AND person_id = :p"
    expect("payments on the timeline", 1, len(rows(said, **person)))
    charged = requests.get(f"{house.sandbox.public_url}/_sandbox/books", timeout=30).json()["payments"]
    charged = [payment for payment in charged if payment["metadata"].get("reference") in references]
    expect("payments at the provider", 1, len(charged))
    expect("payment pages", ["complete", *["expired"] * n_abandoned], pages_of(house, reader))
    _expect_mails(house, reader, expect)
    _expect_rest(house, expect)
    return reckoning.found


def _expect_mails(house, reader: Reader, expect) -> None:
    """One welcome and one receipt were written; each arrived, twice at most."""
    for kind in ("contributions/welcome", "contributions/receipt"):
        query = "SELECT state FROM outbox_mails WHERE kind = :k AND to_address = :e"
        expect(kind, [("sent",)], house.rows(query, k=kind, e=reader.email))
        n_arrived = len(reader.mails(kind))
        expect(f"{kind} in the mailbox (once or twice)", min(max(n_arrived, 1), 2), n_arrived)


def _expect_rest(house, expect) -> None:
    """Nothing waits, nothing was given up, and the books hold."""
    expect("open work", [], house.open_work())
    expect("notices given up", [], house.rows("SELECT id, traceback FROM inbox_events WHERE state = 'dead'"))
    expect("mails given up", [], house.rows("SELECT id, last_error FROM outbox_mails WHERE state = 'dead'"))
    expect("books", [], [finding.message for finding in books.check(clock.now())])
    db.session.rollback()


def pages_of(house, reader: Reader) -> list[str]:
    """The states of all payment pages at the provider that were made for this reader."""
    key = house.settings.stripe_secret_key.get_secret_value()
    address = f"{house.sandbox.public_url}/v1/checkout/sessions?limit=100"
    pages = requests.get(address, auth=(key, ""), timeout=30).json()["data"]
    return sorted(page["status"] for page in pages if page["customer_email"] == reader.email)
