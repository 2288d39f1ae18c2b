"""What came of an appeal: how often each variant was seen, from the counts, and who paid then, from the books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from membership.appeals import queries_counts as counts
from membership.appeals.queries import get_by_public_id, variants_of
from membership.appeals.rules.batches import HOLDOUT, Event
from membership.appeals.rules.evidence import ALPHA, Arm, Evidence, compare
from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.dashboard.queries.rates import DayRates, used_currencies
from membership.dashboard.rules.rates import convert
from membership.dashboard.sources.starts import IS_FIRST
from membership.db import db
from membership.kernel.money import Money
from membership.newsroom.queries import day_of, reporting_currency

VARIANTS = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class Paid:
    """Contributions that were paid: how many; what their first payments are worth less what was given back of these;
    and how many payments have no exchange rate, so that they are not in that.
    """

    n: int
    worth: Money
    n_without_rate: int = 0


@dataclass(frozen=True, slots=True)
class VariantNumbers:
    """One variant. `n_views` of the hold-out are those who would have seen it. `against` is what may be said of it
    against the first variant, of the hold-out: of all that were shown something, against it; None for the first.
    """

    variant: str
    n_views: int
    n_clicks: int
    n_closed: int
    n_already: int
    paid: Paid
    against: Evidence | None

    @property
    def is_holdout(self) -> bool:
        """Whether these are readers who were shown nothing."""
        return self.variant == HOLDOUT

    @property
    def arm(self) -> Arm:
        """What is compared."""
        return Arm(self.n_views, self.paid.n)

    @property
    def worth_per_1000(self) -> Money | None:
        """What 1,000 views brought, in the smallest unit, rounded half to even; None without views."""
        if not self.n_views:
            return None
        whole, rest = divmod(self.paid.worth.minor * 1000, self.n_views)
        is_up = rest * 2 > self.n_views or (rest * 2 == self.n_views and whole % 2 == 1)
        return Money(whole + is_up, self.paid.worth.currency)


def numbers_of(public_id: str, at: datetime) -> Sequence[VariantNumbers]:
    """Every variant that was ever seen or paid for, "a" always among them, in order; the hold-out is the last."""
    told, paid = counts.totals_of(public_id), _paid(public_id, at)
    appeal = get_by_public_id(public_id)
    keys = {variant.key for variant in variants_of(appeal.id)}
    met = {*paid, *(variant for variant, _ in told)} & keys
    there = [key for key in VARIANTS if key == "a" or key in met]
    arms = {key: Arm(told.get((key, Event.VIEW.value), 0), paid[key].n if key in paid else 0) for key in there}
    nothing = Paid(0, Money(0, reporting_currency()))
    # One of several that is compared with the first has to be that much surer.
    alpha = ALPHA / max(1, len(keys) - 1)
    found = []
    for key in there:
        against = compare(arms["a"], arms[key], alpha) if key != "a" else None
        found.append(_numbers(key, told, paid.get(key, nothing), against))
    if appeal.holdout_percent and (HOLDOUT in paid or (HOLDOUT, Event.WITHHELD.value) in told):
        shown = Arm(sum(arm.n_views for arm in arms.values()), sum(arm.n_paid for arm in arms.values()))
        held = _numbers(HOLDOUT, told, paid.get(HOLDOUT, nothing), None)
        found.append(_numbers(HOLDOUT, told, held.paid, compare(held.arm, shown)))
    return found


def _numbers(key: str, told: Mapping[tuple[str, str], int], paid: Paid, against: Evidence | None) -> VariantNumbers:
    seen = Event.WITHHELD if key == HOLDOUT else Event.VIEW
    views, clicks, closed, already = (
        told.get((key, event.value), 0) for event in (seen, Event.CLICK, Event.CLOSE, Event.ALREADY)
    )
    return VariantNumbers(key, views, clicks, closed, already, paid, against)


def _paid(public_id: str, at: datetime) -> Mapping[str, Paid]:
    """By variant: contributions that came of this appeal and were paid for the first time."""
    variant = Contribution.attribution["variant"].as_string()
    given_back = (
        select(func.coalesce(func.sum(PaymentReversal.amount_minor), 0))
        .where(PaymentReversal.payment_id == Payment.id)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(variant, Payment.paid_at, Payment.currency, Payment.charged_minor - given_back)
        .join_from(Contribution, Payment, IS_FIRST)
        .where(
            Contribution.attribution["appeal"].as_string() == public_id,
            # Readers can put any word into an address.
            variant.in_((*VARIANTS, HOLDOUT)),
            Payment.paid_at <= at,
        )
    ).all()
    if not rows:
        return {}
    days = [day_of(paid_at) for _, paid_at, _, _ in rows]
    rates = DayRates(min(days), max(days), day_of(at), used_currencies())
    found: dict[str, Paid] = {}
    for (key, _, currency, minor), day in zip(rows, days, strict=True):
        so_far = found.get(key, Paid(0, Money(0, reporting_currency())))
        rate = rates.find(currency, day)
        worth = None if rate is None else convert(Money(int(minor), currency), reporting_currency(), rate)
        more = so_far.worth if worth is None else so_far.worth + worth
        found[key] = Paid(so_far.n + 1, more, so_far.n_without_rate + (worth is None))
    return found
