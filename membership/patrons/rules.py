"""Membership is coverage: pure functions from what was paid to who is a patron, when, and why (ADR 0002).

Periods (paid invoices) cover exactly their span. Lengths (one-time gifts, gift memberships, comps, offline
money) are counted in months and placed into time that nothing else covers, so that overlap loses nothing.
The order in which news arrives never matters: everything is worked out anew from the set of grants.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from dateutil.relativedelta import relativedelta

LONGEST_GIFT_MONTHS = 24


class Cause(StrEnum):
    """Why somebody is covered."""

    PAID = "paid"
    GIFT = "gift"
    COMP = "comp"


@dataclass(frozen=True, slots=True)
class Grant:
    """One cause of coverage: either a fixed period `[starts_at, ends_at)` or a length of `n_months`.

    `revoked_at` is when its money went back; what it covered until then has been lived already.
    """

    id: int
    cause: Cause
    paid_at: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    n_months: int | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Coverage `[starts_at, ends_at)` by the grant `grant_id`; never empty."""

    grant_id: int
    cause: Cause
    starts_at: datetime
    ends_at: datetime


class Why(StrEnum):
    """The one-word reason of a standing, as pages and mails spell it out."""

    PAID = "paid"
    GIFT = "gift"
    COMP = "comp"
    GRACE = "grace"
    ENDED = "ended"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody is a patron at a moment. `until` is the end of unbroken coverage (or of grace), the
    past end where it is over, None where there never was any.
    """

    is_patron: bool
    why: Why
    until: datetime | None

    @property
    def is_covered(self) -> bool:
        """Whether paid, given or granted coverage holds; grace does not count (decision 17)."""
        return self.is_patron and self.why is not Why.GRACE


def months_for_gift(n_cups: int) -> int:
    """Months that a one-time gift of `n_cups` whole cups covers: one each, at most 24, none below one cup."""
    return min(n_cups, LONGEST_GIFT_MONTHS)


def add_months(moment: datetime, n_months: int) -> datetime:
    """The same day and time `n_months` later; the last day of the month where that day does not exist."""
    return moment + relativedelta(months=n_months)


def place(grants: Iterable[Grant]) -> list[Span]:
    """All coverage that `grants` give, ordered by start.

    Between two revocations nothing changes, so each such epoch is worked out on its own: fixed periods lie
    where they are; lengths follow in order of (paid_at, id) and fill what is free from their payment on.
    What a length has not used up when an epoch ends is placed again in the next one. Spans of fixed periods
    may overlap each other; those of lengths overlap nothing.
    """
    ordered = sorted(grants, key=lambda grant: (grant.paid_at, grant.id))
    cuts = sorted({grant.revoked_at for grant in ordered if grant.revoked_at})
    left = {g.id: add_months(g.paid_at, g.n_months) - g.paid_at for g in ordered if g.n_months}
    spans: list[Span] = []
    for begin, end in zip([None, *cuts], [*cuts, None], strict=True):
        spans.extend(_place_epoch(ordered, begin, end, left))
    return sorted(_joined(spans), key=lambda span: (span.starts_at, span.grant_id))


def _place_epoch(
    ordered: Sequence[Grant], begin: datetime | None, end: datetime | None, left: dict[int, timedelta]
) -> list[Span]:
    """The spans of one epoch `[begin, end)`; None is open. Takes what lengths use up off `left`."""
    standing = [g for g in ordered if g.revoked_at is None or (end is not None and g.revoked_at >= end)]
    fixed = [
        Span(g.id, g.cause, max(g.starts_at, begin or g.starts_at), min(g.ends_at, end or g.ends_at))
        for g in standing
        if g.starts_at and g.ends_at
    ]
    spans = [span for span in fixed if span.starts_at < span.ends_at]
    # Periods that begin later than this epoch's end are no part of it, but lengths must still step aside
    # for them: their whole length counts as taken.
    taken = [(g.starts_at, g.ends_at) for g in standing if g.starts_at and g.ends_at]
    for grant in standing:
        need = left.get(grant.id, timedelta())
        start = max(grant.paid_at, begin or grant.paid_at)
        for free_start, free_end in _fill(start, need, taken):
            taken.append((free_start, free_end))
            lived = min(free_end, end or free_end)
            if free_start < lived:
                spans.append(Span(grant.id, grant.cause, free_start, lived))
                left[grant.id] -= lived - free_start
    return spans


def _fill(
    start: datetime, need: timedelta, taken: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """Free pieces from `start` on, outside `taken`, that together last `need`."""
    pieces: list[tuple[datetime, datetime]] = []
    cursor = start
    for busy_start, busy_end in sorted(taken):
        if not need:
            break
        if busy_start > cursor:
            piece_end = min(busy_start, cursor + need)
            pieces.append((cursor, piece_end))
            need -= piece_end - cursor
        cursor = max(cursor, busy_end)
    if need:
        pieces.append((cursor, cursor + need))
    return pieces


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The same coverage with touching pieces of one grant made one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.grant_id, s.starts_at)):
        last = joined[-1] if joined else None
        if last and last.grant_id == span.grant_id and last.ends_at == span.starts_at:
            joined[-1] = Span(last.grant_id, last.cause, last.starts_at, span.ends_at)
        else:
            joined.append(span)
    return joined


def standing(spans: Sequence[Span], grace_until: datetime | None, at: datetime) -> Standing:
    """Who is a patron at `at`: the one function that door, roll and dashboard use (product.md section 2).

    `grace_until` is the end of the latest open grace. Coverage beats grace; a covered person's reason is
    that of the span that lasts longest now.
    """
    now = [span for span in spans if span.starts_at <= at < span.ends_at]
    if now:
        reason = max(now, key=lambda span: (span.ends_at, span.grant_id)).cause
        return Standing(is_patron=True, why=Why(reason.value), until=_unbroken_until(spans, at))
    if grace_until is not None and at < grace_until:
        return Standing(is_patron=True, why=Why.GRACE, until=grace_until)
    past = [span.ends_at for span in spans if span.ends_at <= at]
    if past:
        return Standing(is_patron=False, why=Why.ENDED, until=max(past))
    return Standing(is_patron=False, why=Why.NONE, until=None)


def _unbroken_until(spans: Sequence[Span], at: datetime) -> datetime:
    until = at
    for span in sorted(spans, key=lambda s: s.starts_at):
        if span.starts_at > until:
            break
        until = max(until, span.ends_at)
    return until


Change = tuple[datetime, datetime, int]
"""In `[starts_at, ends_at)` somebody counts as a patron so many times more (or, below zero, fewer)."""


def patron_changes(known: Iterable[Change], times: Iterable[tuple[datetime, datetime]]) -> list[Change]:
    """What must be added to the `known` changes of a person so that they are a patron exactly in `times`.

    `times` may overlap and be empty spans; overlapping ones count once. The answer is ordered and disjoint, touching
    pieces of one size are one; empty where nothing changes.
    """
    marks: dict[datetime, list[int]] = {}
    for which, (starts_at, ends_at, delta) in [
        *((0, change) for change in known),
        *((1, (starts_at, ends_at, 1)) for starts_at, ends_at in times if starts_at < ends_at),
    ]:
        marks.setdefault(starts_at, [0, 0])[which] += delta
        marks.setdefault(ends_at, [0, 0])[which] -= delta
    found: list[Change] = []
    level = [0, 0]
    ordered = sorted(marks)
    for begin, end in pairwise(ordered):
        level = [level[0] + marks[begin][0], level[1] + marks[begin][1]]
        missing = min(level[1], 1) - level[0]
        if missing and found and found[-1][1] == begin and found[-1][2] == missing:
            found[-1] = (found[-1][0], end, missing)
        elif missing:
            found.append((begin, end, missing))
    return found


class MovementKind(StrEnum):
    """How recurring income changes: the words of every dashboard."""

    NEW = "new"
    MORE = "more"
    LESS = "less"
    LOST = "lost"
    BACK = "back"


class Loss(StrEnum):
    """Why recurring income was lost. CHOSEN: the giver, or staff for them. FAILED: no payment came to the last try.
    STOPPED: we ended it, after a dispute or as one too many. CURRENCY: it goes on in another one.
    """

    CHOSEN = "chosen"
    FAILED = "failed"
    PAUSED = "paused"
    STOPPED = "stopped"
    CURRENCY = "currency"


def movement_kind(before_minor: int, after_minor: int, *, has_left_before: bool) -> MovementKind | None:
    """The name of a change of somebody's recurring level; None where nothing changes."""
    if before_minor == after_minor:
        return None
    if before_minor == 0:
        return MovementKind.BACK if has_left_before else MovementKind.NEW
    if after_minor == 0:
        return MovementKind.LOST
    return MovementKind.MORE if after_minor > before_minor else MovementKind.LESS
