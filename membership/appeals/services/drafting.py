"""Writing an appeal, while no reader sees it: a new one, a copy, other rules and words, a variant more or less."""

from collections.abc import Sequence
from datetime import datetime

from membership.appeals import queries
from membership.appeals.models import Appeal
from membership.appeals.rules import LONGEST_NAME, Deed, Plan, State, Variant, clean_plan, clean_variant, next_key
from membership.appeals.services.steps import draft_at, fill, locked, new_row, rows_of, write_down
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, NotFound
from membership.web.i18n import LANGUAGES

LISTS = ("sections", "tags", "not_tags", "countries")
FIELDS = tuple(Plan.__dataclass_fields__)


def create(plan: Plan, variants: Sequence[Variant], actor: int | None) -> Appeal:
    """A new draft with these variants, of which each key is there once. InvalidInput where a field cannot be so."""
    plan, variants = clean_plan(plan), [clean_variant(variant, LANGUAGES) for variant in variants]
    with transaction("appeals.create"):
        appeal = _new(plan, variants, clock.now(), actor)
        write_down(appeal, Deed.DRAFTED, appeal.created_at, actor)
    return appeal


def copy(appeal_id: int, actor: int | None) -> Appeal:
    """A new draft with the rules and words of another appeal, whatever its state; without its dates."""
    with transaction("appeals.copy"):
        source = locked(appeal_id)
        plan = queries.plan_of(source)
        undated = Plan(**{name: getattr(plan, name) for name in FIELDS if name not in {"starts_at", "ends_at"}})
        appeal = _new(undated, queries.variants_of(source.id), clock.now(), actor)
        write_down(appeal, Deed.COPIED, appeal.created_at, actor, source=source.id)
    return appeal


def save(appeal_id: int, version: int, plan: Plan, variants: Sequence[Variant], actor: int | None) -> Appeal:
    """Other rules, and other words for the variants that are named; the same as before writes nothing.

    `version` is the one that somebody looked at: Conflict `appeal_changed` where it is another one by now,
    `appeal_is_fixed` from the start on. A variant that was removed in between is another version too.
    """
    plan = clean_plan(plan)
    wanted = {variant.key: clean_variant(variant, LANGUAGES) for variant in variants}
    with transaction("appeals.save"):
        appeal = draft_at(appeal_id, version)
        before = queries.plan_of(appeal)
        changed = [name for name in FIELDS if getattr(before, name) != getattr(plan, name)]
        _fill(appeal, plan)
        for row in rows_of(appeal.id):
            variant = wanted.get(row.key)
            if variant is not None and (row.weight, row.texts) != (variant.weight, variant.texts):
                fill(row, variant)
                changed.append(row.key)
        if changed:
            _count_up(appeal)
            write_down(appeal, Deed.CHANGED, clock.now(), actor, fields=changed)
    return appeal


def add_variant(appeal_id: int, version: int, actor: int | None) -> str:
    """One more variant, still without words; its key. Conflict `enough_variants` where there are four."""
    with transaction("appeals.add_variant"):
        appeal = draft_at(appeal_id, version)
        key = next_key({row.key for row in rows_of(appeal.id)})
        if key is None:
            raise Conflict("enough_variants", "An appeal has four variants at most.")
        new_row(appeal.id, Variant(key))
        _count_up(appeal)
        write_down(appeal, Deed.ADDED, clock.now(), actor, variant=key)
    return key


def remove_variant(appeal_id: int, version: int, key: str, actor: int | None) -> Appeal:
    """One variant less. NotFound where there is none of this key; Conflict `last_variant` for the only one."""
    with transaction("appeals.remove_variant"):
        appeal = draft_at(appeal_id, version)
        rows = {row.key: row for row in rows_of(appeal.id)}
        if key not in rows:
            raise NotFound("no_variant", "There is no such variant.")
        if len(rows) == 1:
            raise Conflict("last_variant", "An appeal needs at least one variant.")
        db.session.delete(rows[key])
        _count_up(appeal)
        write_down(appeal, Deed.REMOVED, clock.now(), actor, variant=key)
    return appeal


def _new(plan: Plan, variants: Sequence[Variant], at: datetime, actor: int | None) -> Appeal:
    appeal = Appeal(
        public_id=ids.new_public_id("apl"),
        state=State.DRAFT.value,
        state_at=at,
        created_at=at,
        created_by_id=actor,
        version=1,
    )
    _fill(appeal, plan)
    db.session.add(appeal)
    db.session.flush()
    for variant in variants:
        new_row(appeal.id, variant)
    db.session.flush()
    return appeal


def _fill(appeal: Appeal, plan: Plan) -> None:
    for name in FIELDS:
        value = getattr(plan, name)
        value = list(value) if name in LISTS else value
        if getattr(appeal, name) != value:  # an unset column and None are the same, and so they shall be
            setattr(appeal, name, value)
    appeal.name = plan.name[:LONGEST_NAME]


def _count_up(appeal: Appeal) -> None:
    appeal.version += 1
    db.session.flush()
