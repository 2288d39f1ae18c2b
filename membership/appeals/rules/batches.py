"""What a browser tells of appeals, in one go: read strictly, so that what is counted is what was meant.

A batch knows no reader. It has a random name of its own, drawn anew for each, by which the same batch that comes twice
is counted once; nothing ties two batches to each other.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NoReturn

from membership.kernel.errors import InvalidInput

LARGEST_BATCH = 8 * 1024
"""Bytes."""
MOST_EVENTS = 20
MOST_WEIGHT = 100
LONGEST_ARTICLE = 2000
"""Characters of an address as the browser says it, before anything is taken off it."""
HOLDOUT = "-"
"""The variant of readers who were meant to see an appeal and are deliberately shown nothing."""

BATCH_ID = re.compile(r"[A-Za-z0-9_-]{22}")
APPEAL_ID = re.compile(r"apl_[0-9a-hjkmnp-tv-z]{26}")
VARIANT = re.compile(r"[a-d-]")
KEYS = frozenset({"batch", "article", "events"})
# Programs that read pages name themselves by one of these, and browsers of people do not (CUBOT makes telephones).
PROGRAMS = re.compile(
    r"(?<!cu)bot\b|bot[/_;-]|crawl|spider|slurp|preview|headless|monitor|lighthouse|pagespeed|phantomjs|facebookexternalhit"
    r"|whatsapp/|python-|curl/|wget/|go-http-client|okhttp|scrapy|archiver",
    re.IGNORECASE,
)


class Event(StrEnum):
    """What happened with an appeal in an article."""

    VIEW = "view"
    WITHHELD = "withheld"
    CLICK = "click"
    CLOSE = "close"
    ALREADY = "already"


EVENTS = frozenset(event.value for event in Event)
SAMPLED = frozenset({Event.VIEW, Event.WITHHELD})


@dataclass(frozen=True, slots=True)
class Told:
    """So many (`weight`) of one event, with a variant of an appeal."""

    event: Event
    appeal: str
    variant: str
    weight: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one page told at once; `article` as its browser says it, still to be looked at."""

    batch_id: str
    article: str
    events: tuple[Told, ...]


def read_batch(raw: bytes) -> Batch:
    """The batch in a body; InvalidInput for whatever is none, to the letter."""
    if len(raw) > LARGEST_BATCH:
        _refuse()
    try:
        read = json.loads(raw, object_pairs_hook=_each_once, parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("no_batch", "This is no batch of events.") from error
    if not isinstance(read, dict) or set(read) != KEYS:
        _refuse()
    batch_id, article, events = read["batch"], read["article"], read["events"]
    if not _fits(BATCH_ID, batch_id) or not isinstance(article, str) or len(article) > LONGEST_ARTICLE:
        _refuse()
    if not isinstance(events, list) or not 1 <= len(events) <= MOST_EVENTS:
        _refuse()
    return Batch(batch_id, article, tuple(_told(event) for event in events))


def believed(told: Sequence[Told], one_of: int) -> tuple[Told, ...]:
    """The events with no more weight than a browser of ours gives them: it tells of one view in `one_of`, and of
    everything that was pressed.
    """
    most = {event: one_of if event in SAMPLED else 1 for event in Event}
    return tuple(replace(each, weight=min(each.weight, most[each.event])) for each in told)


def is_program(user_agent: str | None) -> bool:
    """Whether this is a program that says so by its name; who says nothing at all is one as well."""
    return not user_agent or PROGRAMS.search(user_agent) is not None


def _told(event: Any) -> Told:
    if not isinstance(event, list) or len(event) != 4:  # noqa: PLR2004 - as `Told`
        _refuse()
    name, appeal, variant, weight = event
    if not isinstance(name, str) or name not in EVENTS or not _fits(APPEAL_ID, appeal) or not _fits(VARIANT, variant):
        _refuse()
    # Who is shown nothing can do nothing with it.
    if (name == Event.WITHHELD) != (variant == HOLDOUT):
        _refuse()
    # Python takes true for 1.
    if type(weight) is not int or not 1 <= weight <= MOST_WEIGHT:
        _refuse()
    return Told(Event(name), appeal, variant, weight)


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("A key that came twice.")
    return dict(pairs)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} counts nothing.")


def _refuse() -> NoReturn:
    raise InvalidInput("no_batch", "This is no batch of events.")
