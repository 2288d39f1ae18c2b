"""Many monthly patrons with everything that their payments leave behind, written in bulk, and a stand-in for the
provider that knows the same: what the program costs, without network and without the sandbox's own speed.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import insert

from membership.accounts.models import Person
from membership.billing.models import JournalEntry, JournalTransaction, Payment, ReceiptCounter
from membership.billing.port import (
    BookedAtProvider,
    Listed,
    ListedPage,
    Listing,
    ObjectKind,
    ObjectRef,
    PaymentFact,
    Reading,
    SubscriptionFact,
    SubscriptionStatus,
)
from membership.contributions.models import Contribution
from membership.db import db, transaction
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.models import OutboxMail
from membership.patrons.models import CoverageGrant, CoverageSpan
from tests.bench import bulk

AT_A_TIME = 5_000
PAGE = 100
CHARGE, GIFT, FEE = Money(829, "EUR"), Money(800, "EUR"), Money(37, "EUR")

Row = dict[str, Any]


class Patronage:
    """`n` patrons, numbered from 1: what each of them is called, and when they paid first."""

    def __init__(self, n: int, now: datetime) -> None:
        self.n = n
        self.paid_at = (now - timedelta(days=20)).replace(microsecond=0)
        self.until = self.paid_at + relativedelta(months=1)

    def write(self) -> None:
        """Everything that their first payments have left in the tables."""
        for first in range(1, self.n + 1, AT_A_TIME):
            numbers = range(first, min(first + AT_A_TIME, self.n + 1))
            with transaction("bench.patronage"):
                connection = db.session.connection()
                for model, rows in self._rows(numbers):
                    connection.execute(insert(model), rows)
        with transaction("bench.receipts"):
            db.session.add(ReceiptCounter(year=self.paid_at.year, last_number=self.n))
        bulk.settle(model.__tablename__ for model in self._makers() if "id" in model.__table__.columns)

    def _makers(self) -> dict[Any, Callable[[int], list[Row]]]:
        return {
            Person: self._person,
            Contribution: self._contribution,
            Payment: self._payment,
            JournalTransaction: self._movements,
            JournalEntry: self._entries,
            CoverageGrant: self._grant,
            CoverageSpan: self._span,
            OutboxMail: self._mails,
        }

    def _rows(self, numbers: range) -> Iterator[tuple[Any, list[Row]]]:
        for model, make in self._makers().items():
            yield model.__table__, [row for number in numbers for row in make(number)]

    def _person(self, i: int) -> list[Row]:
        named = {"id": i, "public_id": f"per_{i:026d}", "email": f"reader{i}@example.org"}
        return [named | {"email_proved_at": self.paid_at, "locale": "en", "created_at": self.paid_at}]

    def _contribution(self, i: int) -> list[Row]:
        row = {
            "id": i,
            "reference": f"con_{i}",
            "form_token": f"form_{i}",
            "form_try": 1,
            "person_id": i,
            "email": f"reader{i}@example.org",
            "locale": "en",
            "rhythm": "monthly",
            "currency": CHARGE.currency,
            "gift_minor": GIFT.minor,
            "charge_minor": CHARGE.minor,
            "cup_minor": 400,
            "state": "active",
            "state_at": self.paid_at,
            "created_at": self.paid_at,
            "checkout_id": f"cs_{i}",
            "customer_id": f"cus_{i}",
            "subscription_id": f"sub_{i:09d}",
            "next_payment_at": self.until,
            "attribution": {},
        }
        return [row]

    def _payment(self, i: int) -> list[Row]:
        row = {
            "id": i,
            "provider_id": f"in_{i}",
            "reference": f"con_{i}",
            "rhythm": "monthly",
            "charged_minor": CHARGE.minor,
            "currency": CHARGE.currency,
            "fee_minor": FEE.minor,
            "fee_currency": FEE.currency,
            "paid_at": self.paid_at,
            "period_start_at": self.paid_at,
            "period_end_at": self.until,
            "subscription_id": f"sub_{i:09d}",
            "receipt_number": f"{self.paid_at.year}-{i:06d}",
            "booked_at": self.paid_at,
        }
        return [row]

    def _movements(self, i: int) -> list[Row]:
        when = {"provider_ref": f"in_{i}", "moved_at": self.paid_at, "booked_at": self.paid_at}
        return [{"id": 2 * i - 1, "kind": "payment", **when}, {"id": 2 * i, "kind": "fee", **when}]

    def _entries(self, i: int) -> list[Row]:
        sides = (
            (2 * i - 1, "provider_balance", CHARGE),
            (2 * i - 1, "income_recurring", -CHARGE),
            (2 * i, "provider_fees", FEE),
            (2 * i, "provider_balance", -FEE),
        )
        return [
            {"transaction_id": movement, "account": account, "amount_minor": money.minor, "currency": money.currency}
            for movement, account, money in sides
        ]

    def _grant(self, i: int) -> list[Row]:
        row = {"id": i, "person_id": i, "cause": "paid", "cause_ref": f"payment:in_{i}", "paid_at": self.paid_at}
        return [row | {"starts_at": self.paid_at, "ends_at": self.until}]

    def _span(self, i: int) -> list[Row]:
        return [{"person_id": i, "grant_id": i, "starts_at": self.paid_at, "ends_at": self.until}]

    def _mails(self, i: int) -> list[Row]:
        when = {"created_at": self.paid_at, "next_try_at": self.paid_at, "done_at": self.paid_at}
        sent = {"to_address": f"reader{i}@example.org", "locale": "en", "state": "sent", "attempts": 1, **when}
        args = {"contribution_id": i}
        return [
            {"kind": "contributions/welcome", "once_key": f"welcome:{i}", "args": args, **sent},
            {"kind": "contributions/receipt", "once_key": f"receipt:in_{i}", "args": args, **sent},
        ]


class StandIn:
    """What a provider would say of these patrons: their first invoice, and from `renewed` on also the second."""

    name = "stand-in"

    def __init__(self, patronage: Patronage) -> None:
        self._patronage = patronage
        self._renewed: set[int] = set()
        self.n_pages = 0

    def read(self, ref: ObjectRef) -> Reading:
        """The second invoice ("in_7b") renews the subscription, and the subscription says so from then on."""
        number = int(ref.id.rpartition("_")[2].rstrip("b"))
        if ref.kind is ObjectKind.SUBSCRIPTION:
            return Reading(facts=(self._subscription(number),))
        self._renewed.add(number)
        after = (ObjectRef(ObjectKind.SUBSCRIPTION, f"sub_{number:09d}"),)
        return Reading(facts=(self._invoice(number, is_second=True),), after=after)

    def list_objects(self, listing: Listing, since: datetime | None, cursor: str | None) -> ListedPage:
        """A hundred at a time; only invoices and subscriptions."""
        del since
        self.n_pages += 1
        if listing not in {Listing.INVOICES, Listing.SUBSCRIPTIONS}:
            return ListedPage((), None)
        newest = int(cursor) - 1 if cursor else self._patronage.n
        oldest = max(newest - PAGE + 1, 1)
        numbers = range(newest, oldest - 1, -1)
        is_invoices = listing is Listing.INVOICES
        rows = tuple(self._listed_invoice(i) if is_invoices else self._listed_subscription(i) for i in numbers)
        return ListedPage(rows, str(oldest) if oldest > 1 else None)

    def list_booked(self, since: datetime | None = None) -> Iterator[BookedAtProvider]:
        """Every first invoice."""
        del since
        for i in range(1, self._patronage.n + 1):
            yield BookedAtProvider(f"in_{i}", f"con_{i}", CHARGE, FEE, Money(0, CHARGE.currency))

    def _listed_invoice(self, i: int) -> Listed:
        return Listed(ObjectRef(ObjectKind.INVOICE, f"in_{i}"), is_ours=True, facts=(self._invoice(i),))

    def _listed_subscription(self, i: int) -> Listed:
        ref = ObjectRef(ObjectKind.SUBSCRIPTION, f"sub_{i:09d}")
        return Listed(ref, is_ours=True, facts=(self._subscription(i),))

    def _invoice(self, i: int, *, is_second: bool = False) -> PaymentFact:
        start = self._patronage.until if is_second else self._patronage.paid_at
        return PaymentFact(
            payment_id=f"in_{i}b" if is_second else f"in_{i}",
            reference=f"con_{i}",
            rhythm=Rhythm.MONTHLY,
            charged=CHARGE,
            fee=FEE,
            paid_at=start,
            period_start=start,
            period_end=self._patronage.paid_at + relativedelta(months=2 if is_second else 1),
            subscription_id=f"sub_{i:09d}",
        )

    def _subscription(self, i: int) -> SubscriptionFact:
        return SubscriptionFact(
            reference=f"con_{i}",
            subscription_id=f"sub_{i:09d}",
            customer_id=f"cus_{i}",
            status=SubscriptionStatus.ACTIVE,
            raw_status="active",
            amount=CHARGE,
            rhythm=Rhythm.MONTHLY,
            current_period_end=self._patronage.paid_at + relativedelta(months=2 if i in self._renewed else 1),
            cancel_at=None,
            ended_at=None,
        )
