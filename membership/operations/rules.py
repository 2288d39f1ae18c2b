"""When silence is alarming: what came against what should have come. Pure functions of values.

The method. What should have come within 24 hours is the median of what came within the same 24 hours of the same days
of the last eight weeks, so that weekday and hour of day are the same and two odd weeks change nothing. How far such
counts scatter is taken from their median absolute deviation over all days of those weeks, and never believed to be
less than twice what pure chance (Poisson) gives. Silence is what is both small (at most a quarter) and hardly chance:
less likely than 1 in 10,000 under a negative binomial, which also knows that eight weeks are few. Where even nothing
at all would be likelier than that, there is too little to tell: below about twenty a day.

`tests/operations/test_silence_rules.py` measures how often quiet newsrooms are alarmed, and how soon a stop is seen.
Charges are not guessed: which supports fall due is known. Of each, word comes within hours but for one in fifty.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

WEEKS = 8
FEWEST_WEEKS = 4
HOURS = 24
LEAST_LIKELY = 1e-4
"""Chance, per look, that a count as small as an alarming one comes about by itself."""

MOST_OF_EXPECTED = 0.25
LEAST_SCATTER = 2.0
MAD_TO_SIGMA = 1.4826
"""Of a normal distribution the median absolute deviation is so many times smaller than the standard deviation."""

CERTAIN_FROM = 60
"""Where so many (scatter taken out) are expected and at most half came, chance is out of the question."""

CHARGE_PATIENCE = timedelta(hours=6)
"""So long may word of a charge take: Stripe draws an invoice up an hour before it charges it."""

CHARGES_LATE = 0.02
TWO_LOOKS = timedelta(minutes=15)
"""Silence is told once a second look, so much later, sees it too: a worker that comes back has to catch up first."""


class Stream(StrEnum):
    """What comes day by day."""

    CHARGES = "charges"
    WEBHOOKS = "webhooks"
    MAILS = "mails"
    SIGN_INS = "sign_ins"
    VOTES = "votes"


class Verdict(StrEnum):
    """What a look at one stream says."""

    FINE = "fine"
    SILENT = "silent"
    TOO_LITTLE = "too_little"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one look saw and had expected, and what it thinks of it. `n_weeks`: how many weeks it could compare with;
    None where what should come is known exactly.
    """

    verdict: Verdict
    seen: int
    expected: int
    n_weeks: int | None = None


def look(sums: Mapping[datetime, int], end: datetime) -> Judgement | None:
    """What the 24 hours before `end` say, by `sums` as `day_sums` makes them; None where they were not counted."""
    seen = sums.get(end)
    if seen is None:
        return None
    return judge(seen, _same_time(sums, end), scatter_of(sums, end))


def judge(seen: int, samples: Sequence[int], scatter: float = LEAST_SCATTER) -> Judgement:
    """Whether `seen` is alarmingly little, where in earlier weeks `samples` came at the same time, and counts scatter
    so many times more than pure chance makes them.
    """
    if len(samples) < FEWEST_WEEKS:
        return Judgement(Verdict.TOO_LITTLE, seen, round(median(samples)) if samples else 0, len(samples))
    middle = median(samples)
    expected = middle / scatter
    if _chance_of_at_most(0, expected, len(samples)) >= LEAST_LIKELY:
        verdict = Verdict.TOO_LITTLE
    elif seen > middle * MOST_OF_EXPECTED:
        verdict = Verdict.FINE
    else:
        is_chance = _chance_of_at_most(math.floor(seen / scatter), expected, len(samples)) >= LEAST_LIKELY
        verdict = Verdict.FINE if is_chance else Verdict.SILENT
    return Judgement(verdict, seen, round(middle), len(samples))


def _same_time(sums: Mapping[datetime, int], end: datetime) -> list[int]:
    """What came in the same 24 hours of each of the last eight weeks, as far as it was counted."""
    ends = (end - timedelta(weeks=n) for n in range(1, WEEKS + 1))
    return [sums[each] for each in ends if each in sums]


def scatter_of(sums: Mapping[datetime, int], end: datetime) -> float:
    """How many times more than Poisson's the counts of the last eight weeks scatter about those of the same day of the
    week; at least LEAST_SCATTER. All seven days together, since eight counts alone say little about it.
    """
    deviations = []
    for n_days in range(7):
        samples = _same_time(sums, end - timedelta(days=n_days))
        middle = median(samples) if samples else 0
        deviations += [abs(sample - middle) / math.sqrt(middle) for sample in samples if middle]
    return max(LEAST_SCATTER, (MAD_TO_SIGMA * median(deviations)) ** 2) if deviations else LEAST_SCATTER


def _chance_of_at_most(seen: int, expected: float, n_weeks: int) -> float:
    """The chance of at most `seen`, where `n_weeks` weeks had `expected` each: a negative binomial, which is what a
    Poisson count is while its rate is known from so few weeks only (Gelman et al., Bayesian Data Analysis, 2.6).
    """
    if expected > CERTAIN_FROM and seen <= expected * MOST_OF_EXPECTED:
        return 0.0
    shape, p = expected * n_weeks + 0.5, n_weeks / (n_weeks + 1)
    term = total = math.exp(shape * math.log(p))
    for n in range(seen):
        term *= (shape + n) / (n + 1) * (1 - p)
        total += term
    return total


def judge_charges(n_due: int, n_silent: int) -> Judgement:
    """Whether too many of the supports that fell due were not heard of at all, neither paid nor refused."""
    heard = n_due - n_silent
    if n_due == 0 or CHARGES_LATE**n_due >= LEAST_LIKELY:
        return Judgement(Verdict.TOO_LITTLE, heard, n_due)
    is_small = heard <= n_due * MOST_OF_EXPECTED
    is_silent = is_small and _chance_of_late(n_silent, n_due) < LEAST_LIKELY
    return Judgement(Verdict.SILENT if is_silent else Verdict.FINE, heard, n_due)


def _chance_of_late(n_silent: int, n_due: int) -> float:
    """The chance that so many or more of `n_due` are only late: the largest term of the binomial tail, times how many
    terms there are; never less than the truth.
    """
    log_term = (
        math.lgamma(n_due + 1)
        - math.lgamma(n_silent + 1)
        - math.lgamma(n_due - n_silent + 1)
        + n_silent * math.log(CHARGES_LATE)
        + (n_due - n_silent) * math.log1p(-CHARGES_LATE)
    )
    return min(1.0, math.exp(log_term) * (n_due - n_silent + 1))


def day_sums(counts: Mapping[datetime, int]) -> dict[datetime, int]:
    """For every hour's end, what came in the 24 hours before it. Where one of them was not counted, there is no sum.

    `counts` holds a number for each hour, by its beginning, that was counted.
    """
    sums, known, total = {}, 0, 0
    hour = timedelta(hours=1)
    if not counts:
        return {}
    at, last = min(counts), max(counts)
    while at <= last:
        known, total = known + (at in counts), total + counts.get(at, 0)
        gone = at - HOURS * hour
        known, total = known - (gone in counts), total - counts.get(gone, 0)
        at += hour
        if known == HOURS:
            sums[at] = total
    return sums


def is_second_look(suspected_at: datetime, real_now: datetime) -> bool:
    """Whether a silence that was suspected at a moment may be told now."""
    return real_now - suspected_at >= TWO_LOOKS
