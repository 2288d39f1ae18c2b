"""What staff decide about a passage, and that its readers hear of it: each once, whatever happens afterwards."""

from sqlalchemy import or_, select, update

from membership.corrections import queries
from membership.corrections.models import CorrectionEvent, CorrectionPassage, CorrectionReport
from membership.corrections.rules import TARGETS, State, clean_fix, clean_reply
from membership.corrections.services.steps import locked, locked_all, move, moved
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail import services as mail
from membership.web.i18n import spoken


def fix(  # noqa: PLR0917 - a correction, in the order in which the page asks for it
    passage_id: int, before: str, after: str, headline: str, reply: str, actor: int | None
) -> CorrectionPassage:
    """The article was corrected: words before and after stand in the public log, and who reported it is thanked.

    Texts are cleaned by the rules (InvalidInput naming the field). The same sent twice is once.
    """
    wanted = clean_fix(before, after, headline, reply)
    with transaction("corrections.fix"):
        passage = locked(passage_id)
        if passage.state == State.FIXED and (passage.before_words, passage.after_words) == (
            wanted.before, wanted.after,
        ):  # fmt: skip
            return passage
        passage.before_words, passage.after_words = wanted.before, wanted.after
        passage.headline, passage.reply = wanted.headline or None, wanted.reply or None
        _tell(passage.id, move(passage, State.FIXED, clock.now(), actor))
    return passage


def decline(passage_id: int, reply: str, actor: int | None) -> CorrectionPassage:
    """It is right as it stands; who reported it reads the reply. Twice is once."""
    reply = clean_reply(reply)
    with transaction("corrections.decline"):
        passage = locked(passage_id)
        if passage.state == State.DECLINED and passage.reply == reply:
            return passage
        passage.reply = reply
        _tell(passage.id, move(passage, State.DECLINED, clock.now(), actor))
    return passage


def mark_duplicate(passage_id: int, into_id: int, actor: int | None) -> CorrectionPassage:
    """It is the same mistake as another passage of the same article, whose answer is its readers' answer as well: now,
    or when it comes. What was a duplicate of this one becomes one of the other. Twice is once.
    """
    with transaction("corrections.duplicate"):
        held = locked_all({passage_id, into_id, *(each.id for each in queries.duplicates_of(passage_id))})
        passage, into = held[passage_id], held[into_id]
        if passage.duplicate_of_id == into.id:
            return passage
        if passage.id == into.id or passage.article_key != into.article_key:
            raise InvalidInput("not_a_duplicate", "Please choose another report of the same article.", field="into")
        if State(into.state) not in TARGETS:
            raise moved(into)
        passage.duplicate_of_id = into.id
        move(passage, State.DUPLICATE, clock.now(), actor, into=into.id)
        for other in queries.duplicates_of(passage.id):  # no more can come: whoever adds one waits for the passage
            other.duplicate_of_id = into.id
        db.session.flush()
        answer = queries.find_answer(into)
        if answer is not None:
            _tell(into.id, answer)
    return passage


def mark_spam(passage_id: int, actor: int | None) -> CorrectionPassage:
    """No report at all: nobody gets a mail. Conflict while others are marked as its duplicates. Twice is once."""
    with transaction("corrections.spam"):
        passage = locked(passage_id)
        if passage.state == State.SPAM:
            return passage
        if queries.duplicates_of(passage.id):
            raise Conflict("has_duplicates", "Other reports are marked as duplicates of this one. Take them up first.")
        move(passage, State.SPAM, clock.now(), actor)
    return passage


def reopen(passage_id: int, actor: int | None) -> CorrectionPassage:
    """Take it up again, whatever was decided: a correction leaves the public log. Who was told stays told. Twice is
    once.
    """
    with transaction("corrections.reopen"):
        passage = locked(passage_id)
        if passage.state != State.NEW:
            move(passage, State.NEW, clock.now(), actor)
    return passage


def _tell(passage_id: int, answer: CorrectionEvent) -> None:
    """Note that whoever reported this passage, or a duplicate of it, is answered; mail those who left an address."""
    duplicates = select(CorrectionPassage.id).where(CorrectionPassage.duplicate_of_id == passage_id)
    is_about = or_(CorrectionReport.passage_id == passage_id, CorrectionReport.passage_id.in_(duplicates))
    unanswered = update(CorrectionReport).where(is_about, CorrectionReport.answered_at.is_(None))
    db.session.execute(unanswered.values(answered_at=clock.now()), execution_options={"synchronize_session": False})
    untold = select(CorrectionReport).where(
        is_about, CorrectionReport.email.is_not(None), CorrectionReport.told_event_id.is_(None)
    )
    for report in db.session.scalars(untold.order_by(CorrectionReport.id)).all():
        mail.send(
            "corrections/answered",
            report.email or "",
            spoken(report.locale),
            {"report_id": report.id, "event_id": answer.id},
            once_key=f"correction:{report.id}:{answer.id}",
        )


def note_told(report_id: int, event_id: int) -> bool:
    """Note, as a mail leaves, with which answer a reader is told; False where they were told with another one."""
    mine = update(CorrectionReport).where(
        CorrectionReport.id == report_id,
        or_(CorrectionReport.told_event_id.is_(None), CorrectionReport.told_event_id == event_id),
    )
    with transaction("corrections.note_told"):
        told = db.session.scalar(mine.values(told_event_id=event_id).returning(CorrectionReport.id))
    return told is not None
