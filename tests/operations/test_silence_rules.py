"""When silence is alarming: cases worked by hand, and newsrooms that are drawn by chance."""

import math
import random
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest

from membership.operations.rules import (
    MOST_OF_EXPECTED,
    Stream,
    Verdict,
    _chance_of_at_most,
    day_sums,
    is_second_look,
    judge,
    judge_charges,
    look,
    scatter_of,
)

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FINE, SILENT, TOO_LITTLE = Verdict.FINE, Verdict.SILENT, Verdict.TOO_LITTLE


# Worked by hand -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "samples", "verdict"),
    [
        (0, [100] * 8, SILENT),
        (25, [100] * 8, SILENT),  # a quarter, and no more
        (26, [100] * 8, FINE),
        (100, [100] * 8, FINE),
        (300, [100] * 8, FINE),  # more than usual is no silence
        (0, [20] * 8, SILENT),  # with scatter 2: (8/9)^(8·10+½) = 0.000076, less than 1 in 10,000
        (0, [19] * 8, TOO_LITTLE),  # (8/9)^(8·9.5+½) = 0.000122
        (1, [20] * 8, SILENT),  # one is, scatter taken out, less than one
        (2, [20] * 8, FINE),  # 0.000076 · (1 + 80.5/9) = 0.00076
        (0, [0] * 8, TOO_LITTLE),
        (0, [100] * 3, TOO_LITTLE),  # three weeks are no evidence
        (0, [100] * 4, SILENT),
        (0, [100, 100, 100, 100, 0, 0, 0, 100], SILENT),  # weeks of an earlier silence change nothing
        (0, [], TOO_LITTLE),
        (40, [10_000] * 8, SILENT),
        (4_000, [10_000] * 8, FINE),  # a holiday
    ],
)
def test_a_count_is_judged_by_those_of_earlier_weeks(seen, samples, verdict):
    said = judge(seen, samples)
    assert (said.verdict, said.seen, said.n_weeks) == (verdict, seen, len(samples))


def test_what_scatters_wildly_needs_more_before_anybody_is_alarmed():
    assert judge(0, [40] * 8, scatter=2).verdict is SILENT
    assert judge(0, [40] * 8, scatter=8).verdict is TOO_LITTLE


@pytest.mark.parametrize(("seen", "expected", "weeks"), [(0, 10.0, 8), (3, 10.0, 8), (7, 20.0, 4), (2, 5.5, 6)])
def test_the_chance_of_so_few_is_that_of_the_negative_binomial(seen, expected, weeks):
    """Against its definition by the gamma function, term by term."""
    shape, p = expected * weeks + 0.5, weeks / (weeks + 1)
    terms = (
        math.exp(math.lgamma(shape + n) - math.lgamma(shape) - math.lgamma(n + 1)) * p**shape * (1 - p) ** n
        for n in range(seen + 1)
    )
    assert _chance_of_at_most(seen, expected, weeks) == pytest.approx(sum(terms), rel=1e-9)


@pytest.mark.parametrize(
    ("n_due", "n_silent", "verdict"),
    [
        (0, 0, TOO_LITTLE),
        (1, 1, TOO_LITTLE),  # 0.02
        (2, 2, TOO_LITTLE),  # 0.0004
        (3, 3, SILENT),  # 0.000008
        (3, 2, FINE),
        (10, 0, FINE),
        (10, 7, FINE),  # three of ten came: that is trouble, and no silence
        (10, 8, SILENT),
        (1000, 20, FINE),
        (1000, 1000, SILENT),
    ],
)
def test_charges_are_judged_by_what_is_known_to_fall_due(n_due, n_silent, verdict):
    said = judge_charges(n_due, n_silent)
    assert (said.verdict, said.seen, said.expected, said.n_weeks) == (verdict, n_due - n_silent, n_due, None)


def test_a_day_is_the_sum_of_24_hours_that_were_all_counted():
    hours = {MONDAY + timedelta(hours=n): n for n in range(30)}
    sums = day_sums(hours)
    assert sums[MONDAY + timedelta(hours=24)] == sum(range(24))
    assert sums[MONDAY + timedelta(hours=30)] == sum(range(6, 30))
    assert min(sums) == MONDAY + timedelta(hours=24)
    del hours[MONDAY + timedelta(hours=10)]
    assert MONDAY + timedelta(hours=30) not in day_sums(hours)
    assert day_sums({}) == {}


def test_nothing_is_said_of_hours_that_nobody_counted():
    assert look({}, MONDAY) is None


def test_a_second_look_must_lie_apart():
    assert not is_second_look(MONDAY, MONDAY + timedelta(minutes=14))
    assert is_second_look(MONDAY, MONDAY + timedelta(minutes=15))


def test_scatter_is_told_from_chance():
    draw = chance(7)
    even = {MONDAY + timedelta(days=n): poisson(draw, 400) for n in range(80)}
    wild = {day: round(n * draw.uniform(0.6, 1.4)) for day, n in even.items()}
    end = MONDAY + timedelta(days=79)
    assert scatter_of(even, end) == 2
    assert scatter_of(wild, end) > 10


# Drawn by chance ------------------------------------------------------------------------------------------

WEEK = (1.2, 1.1, 1.0, 1.0, 1.0, 0.8, 0.9)
DAY = (2, 1, 1, 1, 2, 4, 8, 12, 16, 18, 17, 16, 15, 14, 13, 13, 14, 16, 18, 20, 18, 14, 9, 5)
HISTORY = 63


def chance(seed) -> random.Random:
    return random.Random(seed)  # noqa: S311 - newsrooms are drawn, no secrets


def poisson(draw, mean) -> int:
    if mean > 50:
        return max(0, round(draw.gauss(mean, math.sqrt(mean))))
    n, left = -1, math.exp(mean)
    while left > 1 or n < 0:
        n, left = n + 1, left * draw.random()
    return n


def quiet_days(draw, per_day, variation, n_days) -> dict[datetime, int]:
    """What came day by day where nothing is wrong: weekdays differ, and days of one kind by `variation` besides."""
    days = {}
    for n in range(n_days):
        news = draw.gammavariate(1 / variation**2, variation**2)
        days[MONDAY + timedelta(days=n)] = poisson(draw, per_day * WEEK[n % 7] * news)
    return days


def verdict_of(sums, end) -> Verdict:
    """As `look`, which is spared where more than a quarter came: that is no silence, whatever the rest (see above)."""
    weeks = [sums[end - timedelta(weeks=n)] for n in range(1, 9)]
    return look(sums, end).verdict if sums[end] <= median(weeks) * MOST_OF_EXPECTED else FINE


# A newsroom has a small stream and a large one, and days that differ from each other by so much (1 = 100 %).
@pytest.mark.parametrize(("variation", "most_a_year"), [(0.1, 0.0), (0.2, 0.0), (0.3, 0.2)])
def test_quiet_newsrooms_are_hardly_ever_alarmed(variation, most_a_year):
    """The false alarms per stream and year, of 30 years of newsrooms in which nothing ever stopped."""
    draw, n_alarms, n_years = chance(20261130), 0, 30
    for year in range(n_years):
        sums = quiet_days(draw, (25, 60, 300)[year % 3], variation, HISTORY + 364)
        said = [verdict_of(sums, MONDAY + timedelta(days=HISTORY + n)) for n in range(364)]
        n_alarms += sum(
            now is SILENT and before is not SILENT for before, now in zip([FINE, *said], said, strict=False)
        )
    print(f"variation {variation}: {n_alarms} false alarms in {n_years} years")
    assert n_alarms / n_years <= most_a_year


@pytest.mark.parametrize("per_day", [40, 200, 2000])
@pytest.mark.parametrize("variation", [0.1, 0.2])
def test_a_stop_is_seen_within_a_day_whenever_it_happens(per_day, variation):
    """Hour by hour: whatever the hour of the stop, 24 hours later it has been seen; and not before it happened."""
    draw, waited = chance(per_day), []
    for begins_at in range(0, 24, 3):
        stop = MONDAY + timedelta(days=HISTORY + 8, hours=begins_at)
        counts = {}
        for day, n in quiet_days(draw, per_day, variation, HISTORY + 11).items():
            for hour, weight in enumerate(DAY):
                counts[day + timedelta(hours=hour)] = poisson(draw, n * weight / sum(DAY))
        counts = {hour: 0 if hour >= stop else n for hour, n in counts.items()}
        sums = day_sums(counts)
        assert look(sums, stop).verdict is FINE
        ends = (n for n in range(1, 49) if look(sums, stop + timedelta(hours=n)).verdict is SILENT)
        waited.append(next(ends))
    print(f"{per_day} a day, variation {variation}: seen after {sorted(waited)} hours")
    assert max(waited) <= 24


def test_every_stream_has_a_name_that_its_table_knows():
    from membership.operations.models import ONE_OF_OUR_STREAMS

    assert all(f"'{stream.value}'" in ONE_OF_OUR_STREAMS for stream in Stream)
