"""What people did: went to pay and paid, gave first at a story, voted, stayed; and whether promises were kept."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import sqrt
from statistics import NormalDist, median
from urllib.parse import urlsplit

from tests.year.asked import Answer, Asked, half_even
from tests.year.place import DAY, day_at
from tests.year.rows import PollRow, ReportRow, Rows, StartRow

ENOUGH, FEW, SHOWN, STANDS = 40, 5, 25, 90
NOTHING = (None, None, None)


def _four(value: float | Fraction) -> Decimal:
    exact = Fraction(value)
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


def _part(n: int, of: int) -> Decimal | None:
    return _four(Fraction(n, of)) if of else None


def _spoken(n: int, of: int) -> Decimal | None:
    return _part(n, of) if of >= ENOUGH else None


def _interval(n: int, of: int) -> tuple[Decimal, Decimal]:
    """Between the two solutions p of (of + z2) p2 - (2 n + z2) p + n2 / of = 0: Wilson's, as a quadratic."""
    if not of:
        return _four(0), _four(1)
    z2 = NormalDist().inv_cdf(0.975) ** 2
    half, root = 2 * n + z2, sqrt((2 * n + z2) ** 2 - 4 * (of + z2) * n * n / of)
    return _four(max(0.0, (half - root) / (2 * (of + z2)))), _four(min(1.0, (half + root) / (2 * (of + z2))))


def _cells(n: int, of: int) -> tuple[Decimal | None, Decimal, Decimal]:
    return _spoken(n, of), *_interval(n, of)


def _most(counted: Counter) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:SHOWN]


# To the payment page ------------------------------------------------------------------------------------------


def conversion(rows: Rows, asked: Asked) -> Answer:
    came, paid = _starts(rows, asked)
    was = [[start for start in each if _names(start)] for each in _starts(rows, asked.before)]
    table = [_converted(None, _named(paid), _named(came))]
    for at in range(3):
        n_came, n_paid = (Counter(_names_at(start, at) for start in each) for each in (came, paid))
        del n_came[""]
        most = _most(n_came)
        table += [_converted(name, n_paid[name], n) for name, n in most]
        left = n_came.total() - sum(n for _, n in most)
        if left:
            n_left = n_paid.total() - n_paid[""] - sum(n_paid[name] for name, _ in most)
            table.append(_converted(None, n_left, left))
    table.append(_converted(None, len(paid) - _named(paid), len(came) - _named(came)))
    return Answer(_spoken(_named(paid), _named(came)), _spoken(len(was[1]), len(was[0])), table=table)


def _converted(name: str | None, n_paid: int, n: int) -> tuple:
    return (name, n, n_paid, *_cells(n_paid, n))


def _starts(rows: Rows, asked: Asked) -> tuple[list[StartRow], list[StartRow]]:
    """Who went to the payment page on these days, and who of them paid, whenever that was."""
    ever_paid = {reference for _, reference in rows.paid}
    came = [row for row in rows.starts if row.way == "card" and asked.first <= day_at(row.at) < asked.end]
    return came, [row for row in came if row.reference in ever_paid]


def _names(start: StartRow) -> set[str]:
    return {start.article, start.section, start.campaign} - {""}


def _names_at(start: StartRow, at: int) -> str:
    return (start.article, start.section, start.campaign)[at]


def _named(starts: Iterable[StartRow]) -> int:
    return sum(bool(_names(start)) for start in starts)


# The first gift -----------------------------------------------------------------------------------------------


def first_story(rows: Rows, asked: Asked) -> Answer:
    gifts, was = _first_gifts(rows, asked), _first_gifts(rows, asked.before)
    without, chosen = gifts.pop("", 0), {name for name in gifts if _is_chosen(rows, name)}
    n, n_chosen = gifts.total(), sum(gifts[name] for name in chosen)
    table = [(None, n_chosen, *_cells(n_chosen, n)), (None, n - n_chosen, *_cells(n - n_chosen, n))]
    table += [(name, each, *_cells(each, n)) for name, each in _most(gifts)]
    table.append((None, None, without, None, *NOTHING))
    was.pop("", None)
    before = _spoken(sum(n for name, n in was.items() if _is_chosen(rows, name)), was.total())
    return Answer(_spoken(n_chosen, n), before, table=table)


def _first_gifts(rows: Rows, asked: Asked) -> Counter:
    """By article, whoever's first money of all came on these days."""
    starts, seen, found = {row.reference: row for row in rows.starts}, set(), Counter()
    for at, reference in rows.paid:
        start = starts.get(reference)
        if start is None or start.person_id is None or start.person_id in seen:
            continue
        seen.add(start.person_id)
        if asked.first <= day_at(at) < asked.end:
            found[start.article] += 1
    return found


def _is_chosen(rows: Rows, article: str) -> bool:
    """Whether the last word of an address of a story that members chose is this one."""
    published = [row.story_url for row in rows.topics if row.stage == "published"]
    return article in {urlsplit(url).path.strip("/").rpartition("/")[2].removesuffix(".html") for url in published}


# Promises and polls -------------------------------------------------------------------------------------------


def promise(rows: Rows, asked: Asked) -> Answer:
    del asked
    stages, n = Counter(row.stage for row in rows.topics), len(rows.topics)
    at_work = [row for row in rows.topics if row.stage in {"chosen", "reporting"}]
    late = sum(row.due_on is not None and row.due_on < rows.today for row in at_work)
    spans = [(row.published_at - row.chosen_at) / DAY for row in rows.topics if row.stage == "published"]
    counted = (n, stages["published"], len(at_work) - late, late, stages["dropped"])
    table = [(None, each, _part(each, n)) for each in counted]
    table.append((None, _whole_days(spans), None))
    return Answer(_part(stages["published"], n), None, table=table)


def _whole_days(spans: list[float]) -> int | None:
    return half_even(Fraction(median(spans))) if spans else None


def turnout(rows: Rows, asked: Asked) -> Answer:
    polls = [poll for poll in reversed(rows.polls) if asked.first <= day_at(poll.closed_at) < asked.end]
    was = [poll for poll in rows.polls if asked.before.first <= day_at(poll.closed_at) < asked.before.end]
    table = [(None, None, *_voted(polls))]
    for poll in polls:
        told = (poll.n_roll, poll.n_voted, _part(poll.n_voted, poll.n_roll)) if poll.n_voted >= FEW else (None, None)
        table.append((poll.title, day_at(poll.closed_at), *told))
    return Answer(_voted(polls)[2], _voted(was)[2], table=table)


def _voted(polls: list[PollRow]) -> tuple[int, int, Decimal | None]:
    told = [poll for poll in polls if poll.n_voted >= FEW]
    n_roll, n_voted = sum(poll.n_roll for poll in told), sum(poll.n_voted for poll in told)
    return n_roll, n_voted, _part(n_voted, n_roll)


def voters_stay(rows: Rows, asked: Asked) -> Answer:
    polls = [poll for poll in reversed(rows.polls) if _stood(rows, poll, asked)]
    was = [poll for poll in rows.polls if _stood(rows, poll, asked.before)]
    table = []
    for name, some in [(None, polls), *((poll.title, [poll]) for poll in polls)]:
        for n, stayed in (_group(rows, some, "voters"), _group(rows, some, "others")):
            # An interval of few people, and the share of however many: everybody was counted.
            told = (n, stayed, _part(stayed, n), *_interval(stayed, n)) if n else (None,) * 4
            table.append((name, *told))
    n, stayed = _group(rows, polls, "voters")
    n_before, stayed_before = _group(rows, was, "voters")
    return Answer(_part(stayed, n), _part(stayed_before, n_before), table=table)


def _stood(rows: Rows, poll: PollRow, asked: Asked) -> bool:
    day: date = day_at(poll.closed_at + STANDS * DAY)
    return poll.id in rows.stayed and asked.first <= day < asked.end


def _group(rows: Rows, polls: list[PollRow], who: str) -> tuple[int, int]:
    """How many people, and how many of them stayed; groups of few are left out."""
    each = [
        (getattr(rows.stayed[poll.id], f"n_{who}"), getattr(rows.stayed[poll.id], f"{who}_stayed")) for poll in polls
    ]
    return sum(n for n, _ in each if n >= FEW), sum(stayed for n, stayed in each if n >= FEW)


# Mistakes that readers reported -------------------------------------------------------------------------------


def corrections(rows: Rows, asked: Asked) -> Answer:
    week = 7 * DAY
    reports, was = _reported(rows, asked), _reported(rows, asked.before)
    waits = sorted(row.answered_at - row.at for row in reports if row.answered_at)
    n_good, n_due = _in_time(rows, reports)
    n_late = sum(wait > week for wait in waits)
    n_open = len(reports) - n_due
    middle = median(Fraction(wait // timedelta(microseconds=1)) for wait in waits) if waits else None
    days = None if middle is None else round(middle / (DAY // timedelta(microseconds=1)))
    counted = [(None, n, _part(n, n_due)) for n in (n_good, n_late, n_due - n_good - n_late)]
    table = [*counted, (None, n_open, None), (None, days, None)]
    return Answer(_part(n_good, n_due), _part(*_in_time(rows, was)), table=table)


def _reported(rows: Rows, asked: Asked) -> list[ReportRow]:
    return [row for row in rows.reports if asked.first <= day_at(row.at) < asked.end]


def _in_time(rows: Rows, reports: list[ReportRow]) -> tuple[int, int]:
    """How many were answered within a week, of how many whose week is over or that were answered."""
    week = 7 * DAY
    due = [row for row in reports if row.answered_at or rows.upto - row.at > week]
    return sum(1 for row in due if row.answered_at and row.answered_at - row.at <= week), len(due)
