"""How staff share out the work: who looks after a passage, and which report is about another one after all."""

from membership.accounts.queries import find_staff_name
from membership.corrections import queries
from membership.corrections.models import CorrectionPassage, CorrectionReport
from membership.corrections.rules import State
from membership.corrections.services.steps import locked, moved, write_down
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput

OWNER, APART = "owner", "apart"


def assign(passage_id: int, owner_id: int | None, actor: int | None) -> CorrectionPassage:
    """Somebody on the staff looks after it from now on, or (None) nobody in particular. Twice is once."""
    if owner_id is not None and find_staff_name(owner_id) is None:
        raise InvalidInput("not_on_staff", "Please choose somebody who works here.", field="owner")
    with transaction("corrections.assign"):
        passage = locked(passage_id)
        if passage.owner_id != owner_id:
            passage.owner_id = owner_id
            write_down(passage, OWNER, clock.now(), actor, owner_id=owner_id)
    return passage


def take_apart(report_public_id: str, actor: int | None) -> CorrectionPassage:
    """Give a report a passage of its own, where it was put under another one by mistake; that new passage.

    Conflict where it is the only one there, or the passage is decided.
    """
    with transaction("corrections.apart"):
        report = queries.get_report(report_public_id)
        passage = locked(report.passage_id)
        db.session.refresh(report)
        if report.passage_id != passage.id or passage.state != State.NEW:
            raise moved(passage)
        if passage.n_reports == 1:
            raise Conflict("only_report", "It is the only report of this passage.")
        apart = _like(passage, report)
        db.session.add(apart)
        db.session.flush()
        report.passage_id = apart.id
        passage.n_reports -= 1
        write_down(passage, APART, clock.now(), actor, into=apart.id)
    return apart


def _like(passage: CorrectionPassage, report: CorrectionReport) -> CorrectionPassage:
    return CorrectionPassage(
        public_id=ids.new_public_id("fix"),
        article=passage.article,
        article_key=passage.article_key,
        state=State.NEW.value,
        state_at=report.received_at,
        created_at=report.received_at,
        n_reports=1,
        owner_id=passage.owner_id,
    )
