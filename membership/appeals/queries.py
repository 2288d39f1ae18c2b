"""Reads of appeals: what the desk lists, one appeal with its variants, and what readers' browsers are told."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import force_locale
from sqlalchemy import ColumnElement, func, or_, select

from membership.appeals.models import Appeal, AppealEvent, AppealVariant
from membership.appeals.rules import AMOUNT, SHELVES, Plan, State, Variant, languages_of
from membership.db import db
from membership.kernel.errors import NotFound
from membership.newsroom.queries import offer_in, offered_currencies
from membership.web.filters import money_short

# So many stand on each shelf of the desk; more than that were not stopped in many years.
MOST_SHOWN = 200
TOLD_BEFORE = timedelta(hours=1)


def get_by_public_id(public_id: str) -> Appeal:
    """The appeal with this name in addresses; NotFound if there is none."""
    appeal = db.session.scalar(select(Appeal).where(Appeal.public_id == public_id))
    if appeal is None:
        raise NotFound("no_appeal", "There is no such appeal.")
    return appeal


def plan_of(appeal: Appeal) -> Plan:
    """The rules of an appeal as one value."""
    return Plan(
        name=appeal.name,
        starts_at=appeal.starts_at,
        ends_at=appeal.ends_at,
        priority=appeal.priority,
        sections=tuple(appeal.sections),
        tags=tuple(appeal.tags),
        not_tags=tuple(appeal.not_tags),
        countries=tuple(appeal.countries),
        on_sensitive=appeal.on_sensitive,
        cap_views=appeal.cap_views,
        cap_days=appeal.cap_days,
        days_between=appeal.days_between,
        holdout_percent=appeal.holdout_percent,
    )


def variants_of(appeal_id: int) -> list[Variant]:
    """The variants of an appeal, by their keys."""
    return variants_of_each([appeal_id])[appeal_id]


def variants_of_each(appeal_ids: Collection[int]) -> Mapping[int, list[Variant]]:
    """The same of several appeals at once, by their ids."""
    rows = select(AppealVariant).where(AppealVariant.appeal_id.in_(appeal_ids))
    found: dict[int, list[Variant]] = defaultdict(list)
    for row in db.session.scalars(rows.order_by(AppealVariant.appeal_id, AppealVariant.key)):
        found[row.appeal_id].append(Variant(row.key, row.weight, row.texts))
    return found


def events_of(appeal_id: int) -> Sequence[AppealEvent]:
    """What staff did with an appeal, oldest first."""
    mine = select(AppealEvent).where(AppealEvent.appeal_id == appeal_id)
    return db.session.scalars(mine.order_by(AppealEvent.id)).all()


def list_by_state() -> Mapping[State, Sequence[Appeal]]:
    """Every shelf of the desk in its order, at most 200 on each: running ones by priority, others newest first."""
    newest = (Appeal.state_at.desc(), Appeal.id.desc())
    return {
        state: db.session.scalars(
            select(Appeal)
            .where(Appeal.state == state.value)
            .order_by(*((Appeal.priority.desc(), Appeal.id) if state is State.RUNNING else newest))
            .limit(MOST_SHOWN)
        ).all()
        for state in SHELVES
    }


def running(now: datetime, languages: Sequence[str]) -> list[dict[str, Any]]:
    """What the public file tells of the appeals that run and have not ended at `now`, the highest priority first.

    `languages` are those that readers are spoken to in; an appeal that is whole in none of them is left out. What
    begins within the hour is told too, since caches keep the file: readers' browsers look at the clock.
    """
    current = select(Appeal).where(*_is_on(now), Appeal.starts_at <= now + TOLD_BEFORE)
    rows = db.session.scalars(current.order_by(Appeal.priority.desc(), Appeal.id)).all()
    variants = variants_of_each([row.id for row in rows])
    amounts = amounts_in(languages)
    told = [_told(row, variants[row.id], languages, amounts) for row in rows]
    return [each for each in told if each["languages"]]


def n_running(now: datetime) -> int:
    """How many were started, not stopped, and have not ended at `now`."""
    return db.session.scalar(select(func.count(Appeal.id)).where(*_is_on(now))) or 0


def _is_on(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Appeal.state == State.RUNNING.value, or_(Appeal.ends_at.is_(None), Appeal.ends_at > now)


def amounts_in(languages: Collection[str]) -> dict[str, str]:
    """The price of one cup in the newsroom's first currency, as it is written in each language."""
    cup, found = offer_in(offered_currencies()[0]).cup, {}
    for language in languages:
        with force_locale(language):
            found[language] = money_short(cup)
    return found


def priced(words: Mapping[str, str], amount: str) -> dict[str, str]:
    """The three texts with the price of a cup in its place."""
    return {part: text.replace(AMOUNT, amount) for part, text in words.items()}


def _told(
    appeal: Appeal, variants: Sequence[Variant], languages: Sequence[str], amounts: Mapping[str, str]
) -> dict[str, Any]:
    spoken = languages_of(variants, languages)
    return {
        "id": appeal.public_id,
        "starts": _epoch(appeal.starts_at),
        "ends": _epoch(appeal.ends_at),
        "languages": spoken,
        "sections": appeal.sections,
        "tags": appeal.tags,
        "not_tags": appeal.not_tags,
        "countries": appeal.countries,
        "on_sensitive": appeal.on_sensitive,
        "views": appeal.cap_views,
        "days": appeal.cap_days,
        "apart": appeal.days_between,
        "holdout": appeal.holdout_percent,
        "variants": [
            {"id": variant.key, "weight": variant.weight}
            | {code: priced(variant.texts[code], amounts[code]) for code in spoken}
            for variant in variants
        ],
    }


def _epoch(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
