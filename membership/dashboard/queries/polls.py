"""Reads of polls for the dashboard, from numbers that were stored at the close: no roll and no ballot is looked at."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select

from membership.dashboard.models import FrozenStay
from membership.dashboard.rules.days import start_of
from membership.db import db
from membership.newsroom.queries import zone
from membership.polls.models import Poll, PollResult


class Closed(NamedTuple):
    """A poll that was counted: how many were on its roll, and how many of them voted."""

    title: str
    closed_at: datetime
    n_roll: int
    n_voted: int


class Stay(NamedTuple):
    """Who stayed after one poll: see `models.FrozenStay`."""

    title: str
    stood_at: datetime
    n_voters: int | None
    n_voters_stayed: int | None
    n_others: int | None
    n_others_stayed: int | None


def closed_in(start_on: date, end_on: date) -> Sequence[Closed]:
    """Polls that were closed on the days `[start_on, end_on)`, the last one first."""
    start, end = _span(start_on, end_on)
    rows = db.session.execute(
        select(Poll.title, Poll.closed_at, Poll.n_roll, PollResult.n_voted)
        .join(PollResult, PollResult.poll_id == Poll.id)
        .where(Poll.state == "closed", Poll.closed_at >= start, Poll.closed_at < end)
        .order_by(Poll.closed_at.desc(), Poll.id.desc())
    )
    return [Closed(title, closed_at, n_roll or 0, n_voted) for title, closed_at, n_roll, n_voted in rows if closed_at]


def stays_in(start_on: date, end_on: date) -> Sequence[Stay]:
    """Polls whose people were counted again on the days `[start_on, end_on)`, the last one first."""
    start, end = _span(start_on, end_on)
    rows = db.session.execute(
        select(
            Poll.title, FrozenStay.stood_at, FrozenStay.n_voters, FrozenStay.n_voters_stayed, FrozenStay.n_others,
            FrozenStay.n_others_stayed,
        )
        .join(Poll, Poll.id == FrozenStay.poll_id)
        .where(FrozenStay.stood_at >= start, FrozenStay.stood_at < end)
        .order_by(FrozenStay.stood_at.desc(), Poll.id.desc())
    )  # fmt: skip
    return [Stay(*row) for row in rows]


def _span(start_on: date, end_on: date) -> tuple[datetime, datetime]:
    return start_of(start_on, zone()), start_of(end_on, zone())
