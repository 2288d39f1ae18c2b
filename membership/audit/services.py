"""The only writers of the audit log. A row is written in the transaction of the act, as the last thing in it.

All writers take turns at the end of the chain: on PostgreSQL under one lock that is held until the commit, on SQLite
because only one transaction writes at a time. The UNIQUE of `previous` holds should a writer ever go another way.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update

from membership.audit.models import AuditEntry
from membership.audit.rules import (
    LONGEST_REASON,
    NOTHING,
    Facts,
    Plain,
    check_plain,
    digest_of_reason,
    hash_of,
    is_logged,
)
from membership.db import db, do_last, is_sqlite, transaction
from membership.kernel import clock
from membership.kernel.words import one_line

# The name of PostgreSQL's lock under which writers take turns; any number that nobody else uses.
CHAIN_LOCK = 7_406_002
PERSON = "person"


@dataclass(frozen=True, slots=True)
class _Draft:
    at: datetime
    actor: str
    action: str
    subject: str
    about: str | None
    reason: str | None
    before: Plain
    after: Plain


def record(
    action: str,
    subject: tuple[str, str | int],
    *,
    actor: str,
    about: str | None = None,
    reason: str | None = None,
    before: Plain = None,
    after: Plain = None,
) -> None:
    """Write down that `actor` did `action` to `subject` (kind and id), inside the caller's transaction (or its own).

    `actor` is "staff:<public id>" or `rules.COMMAND`; of anybody else nothing is written, so that use cases that
    members and staff share say it without asking who it is. `about`: the public id of the person whom it concerns,
    which a subject of the kind "person" is by itself. `before` and `after`: ids, amounts, states and names of fields;
    ValueError for anything that looks personal.
    """
    if not is_logged(actor):
        return
    check_plain(before)
    check_plain(after)
    kind, name = subject
    draft = _Draft(
        at=clock.now(),
        actor=actor,
        action=action,
        subject=f"{kind}:{name}",
        about=str(name) if kind == PERSON else about,
        reason=one_line(reason or "")[:LONGEST_REASON] or None,
        before=before,
        after=after,
    )
    with transaction("audit.record"):
        do_last(lambda: _append(draft))


def forget_reasons(about: Iterable[str]) -> None:
    """Empty the reasons of rows that concern these people (public ids), who are being erased; the chain still holds."""
    with transaction("audit.forget_reasons"):
        db.session.execute(
            update(AuditEntry).where(AuditEntry.about.in_(list(about))).values(reason=None, reason_salt=None),
            execution_options={"synchronize_session": False},
        )


def _append(draft: _Draft) -> None:
    if not is_sqlite():
        db.session.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": CHAIN_LOCK})
    last = db.session.execute(
        select(AuditEntry.number, AuditEntry.hash).order_by(AuditEntry.number.desc()).limit(1)
    ).one_or_none()
    number, previous = (last.number + 1, last.hash) if last else (1, NOTHING)
    salt = secrets.token_hex(32) if draft.reason else None
    digest = digest_of_reason(salt, draft.reason) if salt and draft.reason else None
    facts = Facts(draft.at, draft.actor, draft.action, draft.subject, draft.about, digest, draft.before, draft.after)
    db.session.add(
        AuditEntry(
            number=number,
            at=draft.at,
            actor=draft.actor,
            action=draft.action,
            subject=draft.subject,
            about=draft.about,
            reason=draft.reason,
            reason_salt=salt,
            reason_digest=digest,
            before=draft.before,
            after=draft.after,
            previous=previous,
            hash=hash_of(previous, facts),
        )
    )
    db.session.flush()
