"""What the pages of the settings show: where values come from, what a change means, and what was before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from membership.kernel import clock
from membership.newsroom import queries
from membership.newsroom.models import SettingsVersion
from membership.newsroom.queries.first_values import source_of
from membership.newsroom.queries.history import newest_version, values_in, versions_of
from membership.newsroom.queries.snapshot import current
from membership.newsroom.rules.colours import SCHEMES, Colours
from membership.newsroom.rules.consequences import Met, consequences
from membership.newsroom.rules.plain import Goal
from membership.newsroom.rules.prices import Prices, in_one_currency
from membership.newsroom.rules.subjects import Subject, Values, differences, values_of
from membership.newsroom.rules.ways import Ways, grouped
from membership.newsroom.views.meaning import meaning
from membership.newsroom.views.theme import trial_name
from membership.newsroom.views.words import Row, rows_between, rows_of
from membership.web import settings

VERSIONS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Origin:
    """Where what counts comes from: the version that somebody saved, or the environment."""

    is_saved: bool
    at: datetime | None
    who: str | None
    sources: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One version in the history of a subject: who saved it when, what became other, and whether it counts now."""

    number: int
    at: datetime
    who: str
    back_to: int | None
    is_environment: bool
    rows: list[Row]
    is_now: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """A change before it is saved: what becomes other, what that means, and what readers would see."""

    rows: list[Row]
    meanings: list[str]
    preview: dict[str, Any]


def origin_of(subject: Subject, values: Values) -> Origin:
    """Where the values of a subject come from."""
    version = newest_version(subject) if current().number(subject) else None
    is_saved = version is not None and version.values is not None
    sources = {path: None if is_saved else source_of(subject, path, settings()) for path in values.leaves()}
    if version is None:
        return Origin(is_saved=False, at=None, who=None, sources=sources)
    return Origin(is_saved=is_saved, at=version.saved_at, who=names_of([version])[version.actor], sources=sources)


def ahead_of(subject: Subject, wanted: Values) -> Ahead:
    """What saving these values would mean."""
    before = current().values[subject]
    after = wanted.keeping(before)  # type: ignore[arg-type]  # both are of one subject
    told = consequences(before, after, met())
    return Ahead(
        rows_between(before, after, differences(before, after)), [meaning(one) for one in told], preview_of(after)
    )


def met() -> Met:
    """What a change meets now."""
    outlook = queries.outlook()
    at = clock.now()
    return Met(outlook.n_running(), outlook.n_awaited(at), outlook.n_readers(), outlook.n_patrons(at))


def history_of(subject: Subject) -> list[Entry]:
    """The versions of a subject, the newest first."""
    versions = versions_of(subject, VERSIONS_SHOWN)
    names = names_of(versions)
    return [
        Entry(
            version.number,
            version.saved_at,
            names[version.actor],
            version.back_to,
            version.values is None,
            changes_in(version),
            place == 0,
        )
        for place, version in enumerate(versions)
    ]


def changes_in(version: SettingsVersion) -> list[Row]:
    """What became other with a version."""
    before, after = values_of(Subject(version.subject), version.before), values_in(version)
    return rows_between(before, after, differences(before, after))


def names_of(versions: Sequence[SettingsVersion]) -> dict[str, str]:
    """Who saved them, as colleagues call them."""
    actors = {version.actor for version in versions}
    known = queries.outlook().name_staff(actors)
    return {actor: known.get(actor) or str(_("somebody who no longer works here")) for actor in actors}


def summary_of(subject: Subject) -> tuple[list[Row], Origin]:
    """What counts of a subject, in words, and where it comes from."""
    values = current().values[subject]
    return rows_of(values), origin_of(subject, values)


def preview_of(values: Values) -> dict[str, Any]:
    """What the template of the preview needs to show readers' pages with these values."""
    match values:
        case Prices():
            return {"offers": [values.offer(code) for code in values.open_currencies]}
        case Goal():
            return {"goal": _progress(values)}
        case Ways():
            return {"ways": values, "iban": grouped(values.iban or "")}
        case Colours():
            return {"trial": trial_name(values)}
        case _:
            return {"values": values}


def drawn_in(values: Values) -> dict[str, str]:
    """Field of the form of colours -> the colour that is drawn, worked out where none was typed; else empty."""
    if not isinstance(values, Colours):
        return {}
    drawn = values.drawn(queries.tokens())
    roles = {"accent": "accent", "strong": "accent-strong", "ink": "accent-ink"}
    return {f"{scheme}-{name}": drawn.of(scheme)[role] for scheme in SCHEMES for name, role in roles.items()}


def _progress(goal: Goal) -> dict[str, Any]:
    outlook = queries.outlook()
    shown: dict[str, Any] = {"n_patrons": outlook.n_patrons(clock.now()), "n_wanted": goal.n_patrons}
    if goal.kind == "money":
        money = in_one_currency(outlook.monthly_gifts(), goal.currency, queries.prices())
        shown |= {"money": money, "money_wanted": goal.money if money is not None else None}
    return shown
