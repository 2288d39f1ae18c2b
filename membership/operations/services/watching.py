"""The silence alarm: told once when something that should come does not, and once when it comes again."""

from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.accounts.queries import list_staff
from membership.accounts.rules import Role
from membership.db import db, is_sqlite, transaction
from membership.kernel import clock
from membership.mail import services as mail
from membership.operations.models import Silence
from membership.operations.queries.silences import judgements
from membership.operations.rules import Judgement, Stream, Verdict, is_second_look

log = structlog.get_logger(__name__)


def watch(now: datetime) -> None:
    """Look at every stream, and write down and tell what has begun or ended since."""
    for stream, said in judgements(now).items():
        if said is not None and said.verdict is Verdict.SILENT:
            _note_silence(stream, said, now)
        else:
            _note_end(stream, now)


def _note_silence(stream: Stream, said: Judgement, now: datetime) -> None:
    counts = {"n_seen": said.seen, "n_expected": said.expected}
    with transaction("operations.note_silence"):
        row = _open(stream)
        if row is None:
            _suspect(stream, counts)
            return
        row.n_seen, row.n_expected = said.seen, said.expected
        if row.began_at is None and is_second_look(row.suspected_at, clock.real_now()):
            row.began_at = now
            _tell_owners("operations/silence", row.id)
            log.error("alert_silence", stream=stream.value, **counts)


def _suspect(stream: Stream, counts: dict[str, int]) -> None:
    """Another worker may write it in this very moment: then it is written."""
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    row = {"stream": stream.value, "suspected_at": clock.real_now(), **counts}
    db.session.execute(insert(Silence).values(**row).on_conflict_do_nothing())


def _note_end(stream: Stream, now: datetime) -> None:
    if db.session.scalar(select(Silence.id).where(Silence.stream == stream, Silence.ended_at.is_(None))) is None:
        return
    with transaction("operations.note_end"):
        row = _open(stream)
        if row is None:
            return
        if row.began_at is None:
            db.session.delete(row)
            return
        row.ended_at = now
        _tell_owners("operations/silence_over", row.id)
        log.warning("silence_over", stream=stream.value)


def _open(stream: Stream) -> Silence | None:
    mine = select(Silence).where(Silence.stream == stream, Silence.ended_at.is_(None))
    return db.session.scalar(mine.with_for_update(), execution_options={"populate_existing": True})


def _tell_owners(kind: str, silence_id: int) -> None:
    for member, person in list_staff():
        if member.role == Role.OWNER:
            once_key = f"{kind}:{silence_id}:{person.id}"
            mail.send(kind, person.email, person.locale, {"silence_id": silence_id}, once_key=once_key)
