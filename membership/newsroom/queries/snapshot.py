"""What counts now: read once per request or job, and only where somebody asks.

Each process keeps the last settings that it read beside the id of the newest version. Asking anew is one read of the
primary key's end; the rows are read again only where that id is another one. A change is so seen by every process with
its next request or job, and within one of those nothing changes.
"""

from dataclasses import dataclass
from typing import cast

from flask import current_app, g
from sqlalchemy import Executable, bindparam, func, select

from membership.config import Settings
from membership.db import read_alone, read_rows_alone
from membership.newsroom.models import SettingsVersion
from membership.newsroom.queries.first_values import first_values
from membership.newsroom.rules.colours import Colours
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import Prices
from membership.newsroom.rules.subjects import Subject, Values, values_of
from membership.newsroom.rules.ways import Ways
from membership.web import settings

KEPT = "membership.newsroom"
SEEN = "newsroom_settings"

NEWEST: Executable = select(func.max(SettingsVersion.id))
_last = (
    select(SettingsVersion.subject, func.max(SettingsVersion.number).label("number"))
    .where(SettingsVersion.id <= bindparam("newest"))
    .group_by(SettingsVersion.subject)
    .subquery()
)
COUNTING: Executable = select(SettingsVersion.subject, SettingsVersion.number, SettingsVersion.values).join(
    _last, (SettingsVersion.subject == _last.c.subject) & (SettingsVersion.number == _last.c.number)
)


@dataclass(frozen=True, slots=True, eq=False)
class Current:
    """Every setting as it counts now; one that is read anew is another one.

    `numbers`: the version of each; 0, or missing, before anybody saved it. `saved`: the subjects whose values somebody
    saved; those of the others come from the environment.
    """

    values: dict[Subject, Values]
    numbers: dict[Subject, int]
    saved: frozenset[Subject]

    @property
    def prices(self) -> Prices:
        """Cups and currencies."""
        return cast("Prices", self.values[Subject.PRICES])

    @property
    def goal(self) -> Goal:
        """What the front page asks for."""
        return cast("Goal", self.values[Subject.GOAL])

    @property
    def ways(self) -> Ways:
        """Ways to support beside the card."""
        return cast("Ways", self.values[Subject.WAYS])

    @property
    def names(self) -> Names:
        """Name and contact address."""
        return cast("Names", self.values[Subject.NAMES])

    @property
    def languages(self) -> Languages:
        """The languages that are offered."""
        return cast("Languages", self.values[Subject.LANGUAGES])

    @property
    def colours(self) -> Colours:
        """The newsroom's own colours."""
        return cast("Colours", self.values[Subject.COLOURS])

    @property
    def late(self) -> LateMoney:
        """How late and doubtful money is met."""
        return cast("LateMoney", self.values[Subject.LATE])

    def number(self, subject: Subject) -> int:
        """The version of a subject that counts."""
        return self.numbers.get(subject, 0)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a process read last: for which environment, up to which id."""

    known: Settings
    newest: int
    current: Current


def current() -> Current:
    """The settings as they count for this request or job."""
    if SEEN not in g:
        setattr(g, SEEN, _read())
    return cast("Current", getattr(g, SEEN))


def last_known() -> Current:
    """The settings that this process read last, or the environment's, without asking the database: for pages that
    must appear although it is gone.
    """
    kept = _kept()
    return kept.current if kept is not None else _build(settings(), [])


def forget() -> None:
    """Read anew when somebody asks next: after a change, in the request that made it."""
    g.pop(SEEN, None)


def _kept() -> _Kept | None:
    kept: _Kept | None = current_app.extensions.get(KEPT)
    return kept if kept is not None and kept.known is settings() else None


def _read() -> Current:
    row = read_alone(NEWEST, {})
    newest = (row[0] if row is not None else None) or 0
    kept = _kept()
    if kept is None or kept.newest != newest:
        rows = [tuple(row) for row in read_rows_alone(COUNTING, {"newest": newest})] if newest else []
        kept = _Kept(settings(), newest, _build(settings(), rows))
        current_app.extensions[KEPT] = kept
    return kept.current


def _build(known: Settings, rows: list[tuple[str, int, dict[str, object] | None]]) -> Current:
    values = first_values(known)
    stored = {Subject(subject): (number, saved) for subject, number, saved in rows}
    values |= {subject: values_of(subject, saved) for subject, (_, saved) in stored.items() if saved is not None}
    return Current(
        values,
        {subject: number for subject, (number, _) in stored.items()},
        frozenset(subject for subject, (_, saved) in stored.items() if saved is not None),
    )
