"""Who is covered when, worked out in another way than the product does: by walking through time, step by step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta


@dataclass
class Bought:
    """What one payment bought: a fixed `period`, or so many months (`n_months`) from `paid_at` on, until `gone_at`."""

    paid_at: datetime
    order: int
    period: tuple[datetime, datetime] | None
    n_months: int
    gone_at: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.gone_at is None or at < self.gone_at


def walk(bought: list[Bought]) -> list[tuple[datetime, datetime]]:
    """The stretches in which somebody is covered, in order, touching ones joined.

    At each moment a period that holds covers. Where none does, the gift that was given first burns a piece of its
    length; nothing burns while a period covers.
    """
    gifts = sorted((b for b in bought if b.n_months), key=lambda b: (b.paid_at, b.order))
    left = {id(gift): gift.paid_at + relativedelta(months=gift.n_months) - gift.paid_at for gift in gifts}
    moments = {moment for b in bought for moment in (b.paid_at, b.gone_at, *(b.period or ())) if moment}
    stretches: list[list[datetime]] = []
    now = min(moments, default=None)
    while now is not None:
        ahead = min((moment for moment in moments if moment > now), default=None)
        end = ahead
        is_covered = any(b.period and b.period[0] <= now < b.period[1] and b.holds(now) for b in bought)
        if not is_covered:
            burning = next((g for g in gifts if g.paid_at <= now and g.holds(now) and left[id(g)] > timedelta()), None)
            if burning is not None:
                is_covered = True
                end = now + left[id(burning)] if ahead is None else min(ahead, now + left[id(burning)])
                left[id(burning)] -= end - now
        if is_covered:
            if stretches and stretches[-1][1] == now:
                stretches[-1][1] = end
            else:
                stretches.append([now, end])
        now = end
    return [(start, end) for start, end in stretches]


def union(spans) -> list[tuple[datetime, datetime]]:
    """Spans `(start, end)` that may overlap, as stretches."""
    stretches: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return stretches
