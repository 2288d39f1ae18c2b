"""Reads of corrections: the desk's queue, one passage with its reports, the public log, what is handed out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, tuple_

from membership.corrections.models import CorrectionEvent, CorrectionPassage, CorrectionReport
from membership.corrections.rules import ANSWERED, Anchor, State
from membership.db import UTCDateTime, db
from membership.kernel.errors import NotFound
from membership.web import sites

# So many of an article's passages are compared and listed; more than that nobody looks through.
MOST_OF_ARTICLE = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list: its rows, and the public id after which the next part begins (None where this is the end)."""

    rows: Sequence[CorrectionPassage]
    next_mark: str | None


def known_origins() -> frozenset[str]:
    """The newsroom's own sites, from which reports are taken."""
    return sites.known_origins()


# One passage -------------------------------------------------------------------------------------------


def get(passage_id: int) -> CorrectionPassage:
    """The passage with this id; NotFound if there is none."""
    return _found(db.session.get(CorrectionPassage, passage_id))


def get_by_public_id(public_id: str) -> CorrectionPassage:
    """The passage with this name in addresses; NotFound if there is none."""
    return _found(db.session.scalar(select(CorrectionPassage).where(CorrectionPassage.public_id == public_id)))


def _found(passage: CorrectionPassage | None) -> CorrectionPassage:
    if passage is None:
        raise NotFound("no_correction", "There is no such report.")
    return passage


def get_report(public_id: str) -> CorrectionReport:
    """The report of this name; NotFound if there is none."""
    report = db.session.scalar(select(CorrectionReport).where(CorrectionReport.public_id == public_id))
    if report is None:
        raise NotFound("no_correction", "There is no such report.")
    return report


def reports_of(passage_ids: Collection[int]) -> Mapping[int, Sequence[CorrectionReport]]:
    """The reports under each of these passages, oldest first."""
    statement = select(CorrectionReport).where(CorrectionReport.passage_id.in_(passage_ids))
    found: dict[int, list[CorrectionReport]] = {passage_id: [] for passage_id in passage_ids}
    for report in db.session.scalars(statement.order_by(CorrectionReport.id)):
        found[report.passage_id].append(report)
    return found


def anchor_of(reports: Iterable[CorrectionReport]) -> Anchor:
    """How a passage reads: the first report that marked something; nothing where none did, or all are erased."""
    marked = next((report for report in reports if report.quote), None)
    return Anchor(marked.quote, marked.prefix, marked.suffix) if marked else Anchor("")


def events_of(passage_id: int) -> Sequence[CorrectionEvent]:
    """What staff did about a passage, oldest first."""
    mine = select(CorrectionEvent).where(CorrectionEvent.passage_id == passage_id)
    return db.session.scalars(mine.order_by(CorrectionEvent.id)).all()


def find_answer(passage: CorrectionPassage) -> CorrectionEvent | None:
    """The step that answered a passage, or the one that it is a duplicate of; None while there is no answer."""
    root = get(passage.duplicate_of_id) if passage.duplicate_of_id is not None else passage
    if State(root.state) not in ANSWERED:
        return None
    last = select(CorrectionEvent).where(CorrectionEvent.passage_id == root.id, CorrectionEvent.kind == root.state)
    return db.session.scalar(last.order_by(CorrectionEvent.id.desc()).limit(1))


def duplicates_of(passage_id: int) -> Sequence[CorrectionPassage]:
    """The passages that were marked as duplicates of this one, oldest first."""
    statement = select(CorrectionPassage).where(CorrectionPassage.duplicate_of_id == passage_id)
    return db.session.scalars(statement.order_by(CorrectionPassage.id)).all()


def of_article(article_key: str, states: Collection[State], besides: int | None = None) -> Sequence[CorrectionPassage]:
    """The passages of an article in these states, the newest first, at most 200; `besides` leaves one out."""
    if not article_key:
        return []
    statement = select(CorrectionPassage).where(
        CorrectionPassage.article_key == article_key, CorrectionPassage.state.in_([state.value for state in states])
    )
    if besides is not None:
        statement = statement.where(CorrectionPassage.id != besides)
    return db.session.scalars(statement.order_by(CorrectionPassage.id.desc()).limit(MOST_OF_ARTICLE)).all()


# Lists -------------------------------------------------------------------------------------------------


def n_by_state() -> dict[State, int]:
    """How many passages are in each state; states without any are left out."""
    rows = db.session.execute(select(CorrectionPassage.state, func.count()).group_by(CorrectionPassage.state))
    return {State(state): n for state, n in rows}


def list_in(state: State, limit: int, after: str = "", owner_id: int | None = None) -> Page:
    """The passages in a state: of new ones the longest waiting first, of others the last decided first.

    `after` is the `next_mark` of the part before, anything else begins at the beginning; `owner_id`: only what this
    member of staff looks after.
    """
    statement = select(CorrectionPassage).where(CorrectionPassage.state == state.value)
    if owner_id is not None:
        statement = statement.where(CorrectionPassage.owner_id == owner_id)
    here = tuple_(CorrectionPassage.state_at, CorrectionPassage.id)
    mark = db.session.execute(
        select(CorrectionPassage.state_at, CorrectionPassage.id).where(CorrectionPassage.public_id == after)
    ).one_or_none()
    is_rising = state is State.NEW
    if mark is not None:
        there = tuple_(literal(mark.state_at, UTCDateTime()), literal(mark.id))
        statement = statement.where(here > there if is_rising else here < there)
    order = (CorrectionPassage.state_at, CorrectionPassage.id)
    statement = statement.order_by(*(order if is_rising else (column.desc() for column in order)))
    rows = db.session.scalars(statement.limit(limit + 1)).all()
    return Page(rows[:limit], rows[limit - 1].public_id if len(rows) > limit else None)


def corrections_of(article_key: str) -> Sequence[CorrectionPassage]:
    """The corrections of one article, the last one first."""
    return sorted(
        of_article(article_key, {State.FIXED}), key=lambda passage: (passage.state_at, passage.id), reverse=True
    )


# What is counted and handed out --------------------------------------------------------------------------


def waits_between(start: datetime, end: datetime) -> Sequence[tuple[datetime, datetime | None]]:
    """When each report of `[start, end)` came, and when it was first answered (None: not yet); without spam."""
    rows = db.session.execute(
        select(CorrectionReport.received_at, CorrectionReport.answered_at)
        .join(CorrectionPassage, CorrectionPassage.id == CorrectionReport.passage_id)
        .where(CorrectionReport.received_at >= start, CorrectionReport.received_at < end)
        .where(CorrectionPassage.state != State.SPAM.value)
        .order_by(CorrectionReport.id)
    )
    return [(received_at, answered_at) for received_at, answered_at in rows]


def export_of(person_id: int) -> list[dict[str, Any]]:
    """What a person reported while they were signed in, oldest first."""
    rows = db.session.execute(
        select(CorrectionReport, CorrectionPassage.article, CorrectionPassage.state)
        .join(CorrectionPassage, CorrectionPassage.id == CorrectionReport.passage_id)
        .where(CorrectionReport.person_id == person_id)
        .order_by(CorrectionReport.id)
    )
    return [
        {
            "report": report.public_id,
            "article": article,
            "quote": report.quote,
            "words_before": report.prefix,
            "words_after": report.suffix,
            "note": report.note,
            "answer_to": report.email,
            "state": state,
            "reported_at": report.received_at,
            "answered_at": report.answered_at,
        }
        for report, article, state in rows
    ]
