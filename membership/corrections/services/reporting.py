"""A reader reports a mistake: it is put under its passage, where others may have reported it before."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select

from membership.accounts.rules import canonical_email
from membership.corrections import queries
from membership.corrections.models import CorrectionPassage, CorrectionReport
from membership.corrections.rules import Article, Report, State, is_same_passage
from membership.corrections.services.steps import hold_article, locked
from membership.db import db, transaction
from membership.kernel import ids

# The same words of the same reader within this time are the same press of a button.
SAME_REPORT = timedelta(days=1)

Way = Literal["form", "embed"]


def report(  # noqa: PLR0917 - the facts of a report, in the order in which everybody names them
    article: Article,
    said: Report,
    email: str | None,
    locale: str,
    way: Way,
    now: datetime,
    *,
    person_id: int | None = None,
) -> CorrectionReport:
    """Take a report down; the same sent twice is one. InvalidInput `email_invalid` for what cannot be mailed to.

    It joins the passage of an article that waits for an answer and is the same by `is_same_passage`; what was answered
    before begins anew, and staff see both.
    """
    address = canonical_email(email) if email else None
    with transaction("corrections.report"):
        hold_article(article.key)
        twin = _find_twin(article.key, said, address, now)
        if twin is not None:
            return twin
        passage = _find_passage(article.key, said) or _new_passage(article, now)
        row = CorrectionReport(
            public_id=ids.new_public_id("rep"),
            passage_id=passage.id,
            quote=said.anchor.quote,
            prefix=said.anchor.prefix,
            suffix=said.anchor.suffix,
            note=said.note,
            email=address,
            person_id=person_id,
            locale=locale,
            way=way,
            received_at=now,
        )
        db.session.add(row)
        passage.n_reports += 1
    return row


def _find_twin(article_key: str, said: Report, address: str | None, now: datetime) -> CorrectionReport | None:
    same = (
        select(CorrectionReport)
        .join(CorrectionPassage, CorrectionPassage.id == CorrectionReport.passage_id)
        .where(CorrectionPassage.article_key == article_key, CorrectionReport.received_at > now - SAME_REPORT)
        .where(CorrectionReport.quote == said.anchor.quote, CorrectionReport.note == said.note)
        .where(CorrectionReport.email.is_not_distinct_from(address))
    )
    return db.session.scalar(same.limit(1))


def _find_passage(article_key: str, said: Report) -> CorrectionPassage | None:
    """The passage that this is about, locked, if it still waits for an answer; the newest of several that are."""
    waiting = queries.of_article(article_key, {State.NEW})
    reports = queries.reports_of([passage.id for passage in waiting])
    for passage in waiting:
        if is_same_passage(said.anchor, queries.anchor_of(reports[passage.id])):
            held = locked(passage.id)
            if held.state == State.NEW:
                return held
    return None


def _new_passage(article: Article, now: datetime) -> CorrectionPassage:
    passage = CorrectionPassage(
        public_id=ids.new_public_id("fix"),
        article=article.address,
        article_key=article.key,
        state=State.NEW.value,
        state_at=now,
        created_at=now,
        n_reports=0,
    )
    db.session.add(passage)
    db.session.flush()
    return passage
