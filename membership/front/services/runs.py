"""What staff do for many people at once: settled as a draft, looked over, then worked off by the worker in steps.

A step is one transaction: what is done for somebody and that it is done are committed together. A worker that dies
loses nothing and does nothing twice; the row lock that keeps two workers apart goes with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, select, update

from membership.accounts.models import Person
from membership.audit.services import record
from membership.db import db, hint, take_time, transaction
from membership.front.models import PersonTag, Run, RunItem
from membership.front.queries.listing.pages import everybody
from membership.front.rules import runs as rules
from membership.front.rules.filters import TEXT, Filter
from membership.front.rules.runs import LeftOut, What
from membership.front.services import deeds
from membership.front.services.tagging import ensure_tag
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.kernel.ids import new_public_id
from membership.patrons.models import CoverageSpan

KEEP_DRAFTS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom it is about: those of `public_ids`, or, where that is None, everybody whom the filter finds."""

    wanted: Filter
    public_ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: `n_months` for a comp, `tag` (its name) for a tag."""

    what: What
    n_months: int | None = None
    tag: str = ""


def draft(plan: Plan, chosen: Chosen, *, actor: str, at: datetime) -> Run:
    """Settle who gets what, so that what is looked over is what will happen. Nothing happens yet.

    Raises InvalidInput: `nobody_chosen`, `too_many_chosen` (more than MOST_PEOPLE), `months_odd`, and as
    `naming.clean_name`.
    """
    until = rules.comp_until(at, plan.n_months or 0) if plan.what is What.COMP else None
    is_all = chosen.public_ids is None
    with transaction("front.draft_run"):
        take_time()
        is_tagging = plan.what in {What.TAG, What.UNTAG}
        run = Run(
            public_id=new_public_id("run"),
            kind=plan.what.value,
            n_months=plan.n_months if plan.what is What.COMP else None,
            until=until,
            tag_id=ensure_tag(plan.tag, at).id if is_tagging else None,
            actor=actor,
            query=chosen.wanted.without(TEXT).to_query() if is_all else {},
            state="draft",
            made_at=at,
        )
        db.session.add(run)
        db.session.flush()
        n = _settle_people(run, chosen, at)
        _leave_out(run)
        record("run.drafted", ("run", run.public_id), actor=actor, after={"kind": run.kind, "people": n})
    return run


def _settle_people(run: Run, chosen: Chosen, at: datetime) -> int:
    if chosen.public_ids is None:
        whom = everybody(chosen.wanted, at)
    else:
        whom = [Person.public_id.in_(chosen.public_ids), Person.merged_into_id.is_(None)]
    people = select(literal(run.id), Person.id, literal("todo")).where(*whom)
    people = people.order_by(Person.id).limit(rules.MOST_PEOPLE + 1)
    db.session.execute(insert(RunItem).from_select(["run_id", "person_id", "state"], people))
    n = db.session.scalar(select(func.count()).where(RunItem.run_id == run.id)) or 0
    if n == 0:
        raise InvalidInput("nobody_chosen", "Nobody is chosen.")
    if n > rules.MOST_PEOPLE:
        raise InvalidInput("too_many_chosen", f"At most {rules.MOST_PEOPLE} people at once: choose a narrower filter.")
    return n


def _leave_out(run: Run) -> None:
    """Say already now for whom nothing would be done."""
    gone = exists().where(Person.id == RunItem.person_id, Person.disabled_at.is_not(None))
    reasons: list[tuple[LeftOut, ColumnElement[bool]]] = [(LeftOut.GONE, gone)]
    has_tag = exists().where(PersonTag.person_id == RunItem.person_id, PersonTag.tag_id == run.tag_id)
    match What(run.kind):
        case What.COMP:
            mine = CoverageSpan.person_id == RunItem.person_id
            reasons.append((LeftOut.COVERED, exists().where(mine, CoverageSpan.ends_at >= run.until)))
        case What.TAG:
            reasons.append((LeftOut.HAS, has_tag))
        case What.UNTAG:
            reasons.append((LeftOut.LACKS, ~has_tag))
        case What.WAY_IN:
            pass
    for why, condition in reasons:
        meant = update(RunItem).where(RunItem.run_id == run.id, RunItem.state == "todo", condition)
        left_out = meant.values(state="left_out", why=why.value)
        db.session.execute(left_out, execution_options={"synchronize_session": False})


def start(public_id: str, reason: str, *, actor: str, at: datetime) -> Run:
    """Let a draft happen; once, however often it is asked for. Raises NotFound `no_run`, InvalidInput as
    `rules.clean_reason`.
    """
    with transaction("front.start_run"):
        run = _locked(public_id)
        if run.state == "draft":
            run.reason = rules.clean_reason(What(run.kind), reason)
            run.state, run.started_at, run.actor = "running", at, actor
            about, after = _only_one_of(run), {"kind": run.kind}
            record("run.started", ("run", public_id), actor=actor, about=about, reason=run.reason, after=after)
            hint("front.work_off", run.id)
    return run


def _only_one_of(run: Run) -> str | None:
    """The public id of the one person of a run, so that its reason goes with them; None where there are several."""
    query = select(Person.public_id).join(RunItem, RunItem.person_id == Person.id).where(RunItem.run_id == run.id)
    found = db.session.scalars(query.limit(2)).all()
    return found[0] if len(found) == 1 else None


def stop(public_id: str, *, actor: str) -> Run:
    """Do nothing for those whose turn has not come; what was done stays. NotFound `no_run`, Conflict `run_over`."""
    with transaction("front.stop_run"):
        run = _locked(public_id)
        if run.state != "running":
            raise Conflict("run_over", "This is not going on any more.")
        _leave_rest_out(run)
        record("run.stopped", ("run", public_id), actor=actor)
    return run


def undo(public_id: str, *, actor: str, at: datetime) -> Run:
    """Take back what was done, for whoever it was done, and stop what goes on; twice is once. NotFound `no_run`,
    Conflict `run_not_undoable` for mails, and for a draft.
    """
    with transaction("front.undo_run"):
        run = _locked(public_id)
        if not What(run.kind).is_undoable or run.state == "draft":
            raise Conflict("run_not_undoable", "This cannot be taken back.")
        if run.state in {"running", "done"}:
            _leave_rest_out(run)
            run.state, run.undo_asked_at, run.undo_actor = "undoing", at, actor
            record("run.undone", ("run", public_id), actor=actor)
            hint("front.work_off", run.id)
    return run


def _leave_rest_out(run: Run) -> None:
    rest = update(RunItem).where(RunItem.run_id == run.id, RunItem.state == "todo")
    db.session.execute(rest.values(state="left_out", why=LeftOut.STOPPED.value))


def _locked(public_id: str) -> Run:
    query = select(Run).where(Run.public_id == public_id).with_for_update()
    run = db.session.scalar(query, execution_options={"populate_existing": True})
    if run is None:
        raise NotFound("no_run", "There is no such run.")
    return run


# What the worker does -----------------------------------------------------------------------------------


def step(run_id: int, now: datetime) -> bool:
    """Do (or take back) it for the next few people; False when nothing is left to do here.

    A run that another worker has in hand at this moment is left to it.
    """
    going_on = select(Run).where(Run.id == run_id, Run.state.in_(("running", "undoing")))
    with transaction("front.step_run"):
        run = db.session.scalar(
            going_on.with_for_update(skip_locked=True), execution_options={"populate_existing": True}
        )
        if run is None:
            return False
        is_undoing = run.state == "undoing"
        items = _next_items(run, "done" if is_undoing else "todo")
        for item in items:
            deeds.take_back(run, item, now) if is_undoing else deeds.do(run, item, now)
        if not items:
            run.state, run.done_at = ("undone" if is_undoing else "done"), now
    return bool(items)


def _next_items(run: Run, state: str) -> Sequence[RunItem]:
    """The next few, locked: whoever turns out to be somebody else meanwhile is waited for."""
    mine = select(RunItem).where(RunItem.run_id == run.id, RunItem.state == state).order_by(RunItem.id)
    part = mine.limit(What(run.kind).n_at_a_time).with_for_update()
    return db.session.scalars(part, execution_options={"populate_existing": True}).all()


def forget_drafts(now: datetime) -> int:
    """Delete drafts that nobody started within a day; how many."""
    old = select(Run.id).where(Run.state == "draft", Run.made_at < now - KEEP_DRAFTS)
    with transaction("front.forget_drafts"):
        ids = list(db.session.scalars(old.with_for_update()))
        db.session.execute(delete(RunItem).where(RunItem.run_id.in_(ids)))
        db.session.execute(delete(Run).where(Run.id.in_(ids)))
    return len(ids)
