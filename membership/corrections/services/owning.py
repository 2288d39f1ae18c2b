"""Whose reports they are, when that changes: two people turn out to be one, or somebody leaves for good; forgetting."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select, update

from membership.accounts.models import Person
from membership.accounts.queries import addresses_of
from membership.corrections.models import CorrectionEvent, CorrectionPassage, CorrectionReport
from membership.corrections.rules import State
from membership.corrections.services.steps import locked, move
from membership.db import db, transaction
from membership.mail import wishes

KEEP_ADDRESS = timedelta(days=30)
NO_WORDS = {"quote": "", "prefix": "", "suffix": "", "note": "", "email": None}
UNSYNCHRONISED = {"synchronize_session": False}


def forget(now: datetime) -> int:
    """Empty the addresses of reports that were answered, or found to be spam, more than 30 days ago (decision 13); how
    many.
    """
    spam = select(CorrectionPassage.id).where(
        CorrectionPassage.state == State.SPAM.value, CorrectionPassage.state_at < now - KEEP_ADDRESS
    )
    is_over = or_(CorrectionReport.answered_at < now - KEEP_ADDRESS, CorrectionReport.passage_id.in_(spam))
    statement = update(CorrectionReport).where(is_over, CorrectionReport.email.is_not(None)).values(email=None)
    with transaction("corrections.forget"):
        return len(db.session.scalars(statement.returning(CorrectionReport.id)).all())


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Give one person's reports, and what they did at the desk, to another; their mails go to the one address."""
    del at
    with transaction("corrections.merge"):
        old, new = (db.session.scalar(select(Person.email).where(Person.id == each)) for each in (from_id, into_id))
        _set(CorrectionReport, CorrectionReport.person_id == from_id, person_id=into_id)
        if old and new:
            _set(CorrectionReport, CorrectionReport.email == old, email=new)
        _set(CorrectionPassage, CorrectionPassage.owner_id == from_id, owner_id=into_id)
        _set(CorrectionEvent, CorrectionEvent.actor_id == from_id, actor_id=into_id)


def _set(
    model: type[CorrectionReport | CorrectionPassage | CorrectionEvent],
    which: ColumnElement[bool],
    **values: int | str | None,
) -> None:
    db.session.execute(update(model).where(which).values(**values), execution_options=UNSYNCHRONISED)


def erase(person_id: int, at: datetime) -> None:
    """Empty what a person reported, signed in or under one of their addresses, and take them off the desk's queue.

    What others reported too stays theirs. A passage that nobody else reported is emptied with its reports, unless its
    correction is public: that is the newsroom's own words. If it still waited, it is closed.
    """
    addresses = addresses_of(person_id)
    is_theirs = or_(CorrectionReport.person_id == person_id, CorrectionReport.email.in_(addresses))
    with transaction("corrections.erase"):
        passage_ids = db.session.scalars(select(CorrectionReport.passage_id).where(is_theirs).distinct()).all()
        held = [locked(passage_id) for passage_id in sorted(passage_ids)]
        reports = db.session.scalars(select(CorrectionReport.id).where(is_theirs)).all()
        wishes.forget_about("report_id", reports, at)
        _set(CorrectionReport, CorrectionReport.id.in_(reports), **NO_WORDS)
        for passage in held:
            if not _is_reported_by_others(passage.id):
                _empty(passage, at)
        _set(CorrectionPassage, CorrectionPassage.owner_id == person_id, owner_id=None)


def _is_reported_by_others(passage_id: int) -> bool:
    has_words = or_(CorrectionReport.quote != "", CorrectionReport.note != "")
    return bool(db.session.scalar(select(exists().where(CorrectionReport.passage_id == passage_id, has_words))))


def _empty(passage: CorrectionPassage, at: datetime) -> None:
    passage.reply = None
    if passage.state == State.FIXED:
        return
    passage.article = passage.article_key = ""
    if passage.state == State.NEW:
        move(passage, State.DECLINED, at, None)
