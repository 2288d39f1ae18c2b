"""Saving a setting, and going back to an earlier one. Every change is a new version; nothing is ever overwritten."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from membership.audit.services import record
from membership.db import db, is_sqlite, transaction
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.newsroom import queries
from membership.newsroom.models import SettingsVersion
from membership.newsroom.port import Saved
from membership.newsroom.queries.first_values import first_values
from membership.newsroom.queries.history import find_version, newest_version, values_in
from membership.newsroom.queries.snapshot import forget
from membership.newsroom.rules.subjects import Subject, Values
from membership.web import settings

# The name of PostgreSQL's lock under which savers take turns; any number that nobody else uses.
TURN = 7_406_009


@dataclass(frozen=True, slots=True)
class _Step:
    """Who changes a subject, when, and what they had before their eyes: the version of the number `base`."""

    subject: Subject
    base: int
    actor: str
    at: datetime


def save(subject: Subject, values: Values, base: int, actor: str, at: datetime) -> int:
    """Let these values count from now on; the number of their version. `base` is the number of the version that
    somebody looked at when they changed it. Saving what counts already writes nothing: the number of what counts.

    Raises Conflict `settings_changed` where somebody else saved in between (nothing is written), and InvalidInput
    `settings_wrong` with `faults` for values that cannot be.
    """
    with transaction("newsroom.save"):
        now, number = _hold(subject)
        wanted = values.keeping(now)  # type: ignore[arg-type]  # both are of one subject
        if wanted != now:
            number = _write(_Step(subject, base, actor, at), number, now, wanted)
    forget()
    return number


def go_back(subject: Subject, to: int, base: int, actor: str, at: datetime) -> int:
    """Let the version `to` count again, 0 for what the environment says; the number of the new version.

    Prices of currencies that came later stay known, closed. Raises NotFound `no_version`, and as `save` does.
    """
    with transaction("newsroom.save"):
        now, number = _hold(subject)
        version = find_version(subject, to) if to else None
        if to and version is None:
            raise NotFound("no_version", "There is no such version.")
        first = first_values(settings())[subject]
        target = values_in(version) if version is not None else first
        wanted = target.keeping(now)  # type: ignore[arg-type]  # both are of one subject
        # What the environment says counted before anybody saved anything, so it may count again as it is.
        is_environment = (version is None or version.values is None) and wanted == first
        if wanted != now or is_environment != _is_environment(newest_version(subject)):
            step = _Step(subject, base, actor, at)
            number = _write(step, number, now, None if is_environment else wanted, back_to=to)
    forget()
    return number


def _hold(subject: Subject) -> tuple[Values, int]:
    """What counts and its number, with everybody else who saves anything kept waiting until this transaction ends.

    Without that, a version with a lower id could be committed after one with a higher id, and processes that saw the
    higher one would never look again. SQLite's transactions wait for each other by themselves.
    """
    if not is_sqlite():
        db.session.execute(select(func.pg_advisory_xact_lock(TURN)))
    version = newest_version(subject)
    if version is None:
        return first_values(settings())[subject], 0
    return values_in(version), version.number


def _is_environment(newest: SettingsVersion | None) -> bool:
    return newest is None or newest.values is None


def _write(step: _Step, number: int, now: Values, wanted: Values | None, back_to: int | None = None) -> int:
    """One more version, and whoever listens is told; its number. `wanted` None: the environment counts again."""
    if number != step.base:
        raise Conflict("settings_changed", "Somebody else saved this page while you were looking at it.", number=number)
    faults = wanted.faults(queries.bounds()) if wanted is not None else []
    if faults:
        raise InvalidInput("settings_wrong", "These settings cannot be as they are.", faults=faults)
    after = wanted.to_json() if wanted is not None else None
    news = Saved(step.subject.value, number + 1, now.to_json(), after, step.actor, step.at, back_to)
    row = SettingsVersion(
        subject=news.subject,
        number=news.number,
        values=news.after,
        before=news.before,
        saved_at=news.at,
        actor=news.actor,
        back_to=news.back_to,
    )
    db.session.add(row)
    db.session.flush()
    # The values stand in the version; some are addresses, which the log never holds.
    after_facts = {"version": news.number} | ({} if back_to is None else {"back_to": back_to})
    record("settings.saved", ("setting", news.subject), actor=step.actor, before={"version": number}, after=after_facts)
    for listener in queries.outlook().listeners:
        listener(news)
    return news.number
