"""Reads of roll-ups. What they cost grows with the days that are asked about, never with payments or people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, func, select

from membership.dashboard.models import DaySum, RollupState
from membership.db import db


class Row(NamedTuple):
    """What a measure came to on a day: see `models.DaySum`."""

    day_on: date
    currency: str
    dim: str
    n: int
    amount: int
    reporting_minor: int | None


@dataclass(frozen=True, slots=True)
class Level:
    """What all days up to one add up to."""

    n: int
    amount: int


def find_state() -> RollupState | None:
    """Up to when days are summed; None before the first time."""
    return db.session.get(RollupState, 1)


def find_rolled_to() -> datetime | None:
    """The moment up to which roll-ups are complete as far as we know; None before the first time."""
    return db.session.scalar(select(RollupState.rolled_to).where(RollupState.id == 1))


def days_of(measure: str, start_on: date, end_on: date, currency: str | None = None) -> list[Row]:
    """The sums of a measure on the days `[start_on, end_on)`, in order of days; in one currency, or in all."""
    query = select(DaySum.day_on, DaySum.currency, DaySum.dim, DaySum.n, DaySum.amount, DaySum.reporting_minor).where(
        *_in(measure, start_on, end_on)
    )
    if currency is not None:
        query = query.where(DaySum.currency == currency)
    return [Row(*row) for row in db.session.execute(query.order_by(DaySum.day_on, DaySum.currency, DaySum.dim))]


def steps_by_dim(measure: str, dims: Collection[str], first_on: date, end_on: date) -> list[tuple[date, str, int]]:
    """Day, dimension and n of a measure that counts no money, for some of its dimensions on `[first_on, end_on)`, in
    order of days.
    """
    query = select(DaySum.day_on, DaySum.dim, DaySum.n).where(*_in(measure, first_on, end_on), DaySum.dim.in_(dims))
    return [(day, dim, n) for day, dim, n in db.session.execute(query.order_by(DaySum.day_on))]


def n_by_dim(measure: str, start_on: date, end_on: date, *, dims: Collection[str] | None = None) -> dict[str, int]:
    """How many a measure had on the days `[start_on, end_on)`, by dimension: of `dims`, or of all."""
    query = select(DaySum.dim, func.sum(DaySum.n)).where(*_in(measure, start_on, end_on)).group_by(DaySum.dim)
    if dims is not None:
        query = query.where(DaySum.dim.in_(dims))
    return {dim: int(n) for dim, n in db.session.execute(query)}


def most_of(
    measure: str, start_on: date, end_on: date, prefixes: Sequence[str], limit: int
) -> dict[str, dict[str, int]]:
    """For each of `prefixes`: the dimensions that begin with it of which there were most on these days, with how many,
    most first; only `limit` of them, however many there are.
    """
    begins = case(*((func.substr(DaySum.dim, 1, len(prefix)) == prefix, prefix) for prefix in prefixes))
    counted = (
        select(DaySum.dim, begins.label("prefix"), func.sum(DaySum.n).label("n"))
        .where(*_in(measure, start_on, end_on))
        .group_by(DaySum.dim)
        .subquery()
    )
    place = func.row_number().over(partition_by=counted.c.prefix, order_by=(counted.c.n.desc(), counted.c.dim))
    ranked = select(*counted.c, place.label("place")).where(counted.c.prefix.is_not(None)).subquery()
    most = select(ranked.c.prefix, ranked.c.dim, ranked.c.n).where(ranked.c.place <= limit).order_by(ranked.c.place)
    found: dict[str, dict[str, int]] = {prefix: {} for prefix in prefixes}
    for prefix, dim, n in db.session.execute(most):
        found[prefix][dim] = int(n)
    return found


def _in(measure: str, start_on: date, end_on: date) -> tuple[ColumnElement[bool], ...]:
    return DaySum.measure == measure, DaySum.day_on >= start_on, DaySum.day_on < end_on


def level_before(measure: str, day: date, currency: str | None = None) -> dict[str, Level]:
    """What a measure without dimensions had come to at the end of the day before `day`, by currency."""
    query = select(DaySum.currency, func.sum(DaySum.n), func.sum(DaySum.amount)).where(
        DaySum.measure == measure, DaySum.day_on < day
    )
    if currency is not None:
        query = query.where(DaySum.currency == currency)
    rows = db.session.execute(query.group_by(DaySum.currency))
    return {code: Level(int(n), int(amount)) for code, n, amount in rows}
