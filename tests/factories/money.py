"""Money in the books and movements of supports, as billing and contributions write them, at any moment."""

from datetime import datetime, timedelta
from itertools import count

from membership.accounts.services import ensure_person
from membership.billing import ledger
from membership.billing.models import Payment
from membership.billing.port import PaymentFact, ReversalFact
from membership.contributions.models import PaymentTrouble
from membership.db import db, transaction
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.patrons import services as patrons
from membership.patrons.rules import Cause

_numbers = count(1)


def make_giver(at: datetime, name: str = "") -> int:
    """The id of a person nobody else is."""
    with transaction("test.make_giver"):
        return ensure_person(f"{name or 'giver'}-{next(_numbers)}@example.org", "en", at).id


def book(
    at: datetime, minor=400, currency="EUR", *, rhythm=Rhythm.MONTHLY, way="card", fee: int | None = 31
) -> Payment:
    """A payment with its receipt and its journal; `fee` None: not stated yet."""
    name = f"in_money_{next(_numbers):06d}"
    fact = PaymentFact(
        payment_id=name, reference=f"con_{name}", rhythm=rhythm, charged=Money(minor, currency),
        fee=None if fee is None else Money(fee if way == "card" else 0, currency), paid_at=at, period_start=None,
        period_end=None, subscription_id=None, way=way,
    )  # fmt: skip
    with transaction("test.book"):
        payment = ledger.book_payment(fact)
    assert payment is not None
    return payment


def state_fee(payment: Payment, fee: int) -> None:
    """The provider says late what it kept."""
    fact = PaymentFact(
        payment_id=payment.provider_id, reference=payment.reference, rhythm=Rhythm(payment.rhythm),
        charged=payment.charged, fee=Money(fee, payment.currency), paid_at=payment.paid_at, period_start=None,
        period_end=None, subscription_id=None,
    )  # fmt: skip
    with transaction("test.state_fee"):
        ledger.book_payment(fact)


def give_back(
    payment: Payment, at: datetime, minor: int | None = None, *, fee: int = 0, name: str = "", back=False
) -> str:
    """Money of a payment leaves again (all of it), or with `back` returns under the same name; its name."""
    name = name or f"re_money_{next(_numbers):06d}"
    amount = Money(payment.charged_minor if minor is None else minor, payment.currency)
    fact = ReversalFact(
        reversal_id=name, payment_id=payment.provider_id, amount=amount, at=at, reason="refund", is_returned=back,
        fee=Money(fee, payment.currency) if fee else None,
    )  # fmt: skip
    with transaction("test.give_back"):
        assert ledger.book_reversal(fact, db.session.merge(payment))
    return name


def support(person_id: int, reference: str, at: datetime, cups=1, currency="EUR") -> None:
    """From `at` on a support gives so many cups a month (0: nothing), at EUR 4.00, USD 5.00 or UAH 100 a cup."""
    cup = {"EUR": 400, "USD": 500, "GBP": 400, "UAH": 10_000}[currency]
    patrons.move_to(person_id, reference, Money(cup * cups * 12, currency), at, milli_cups=cups * 1000)


def cover(person_id: int, at: datetime, days=30) -> str:
    """A paid period; what granted it."""
    cause_ref = f"payment:cover_{next(_numbers):06d}"
    ends_at = at + timedelta(days=days)
    patrons.grant_period(person_id, Cause.PAID, cause_ref, paid_at=at, starts_at=at, ends_at=ends_at)
    return cause_ref


def trouble(kind: str, at: datetime, name: str = "", minor=400, currency="EUR") -> None:
    """A renewal failed, or came after all (`kind`: failed, recovered); of a payment of its own, or of that name."""
    row = PaymentTrouble(
        payment_ref=name or f"in_trouble_{next(_numbers):06d}", kind=kind, reference="con_trouble",
        amount_minor=minor, currency=currency, at=at,
    )  # fmt: skip
    with transaction("test.trouble"):
        db.session.add(row)
