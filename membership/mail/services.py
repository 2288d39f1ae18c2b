"""Use cases of the outbox: put a mail in or tell an audience, lease a mail for delivery, write down how it went."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.db import db, hint, is_sqlite, transaction
from membership.kernel import clock
from membership.mail import queries
from membership.mail.audiences import Recipient, sources_of
from membership.mail.catalogue import Args, find_entry
from membership.mail.models import DEAD, DONE, DROPPED, SENDING, SENT, WAITING, Broadcast, OutboxMail
from membership.mail.rules import LEASE, NOBODY, Failure, next_step

LONGEST_ARG = 120
# Among the args of a mail: write it from its example, and say that it is a test.
TEST = "is_test"
# So many mails are written in one transaction: a tenth of a second at most, in which nobody else writes on SQLite.
PEOPLE_AT_A_TIME = 500


def send(
    kind: str, to: str, locale: str, args: Args, once_key: str | None = None, *, is_bulk: bool = False
) -> int | None:
    """Put one mail into the outbox, inside the caller's transaction (or one of its own); the row's id.

    `kind` names an entry of `mail.catalogue` (LookupError otherwise); `args` are ids only (ValueError for
    anything that looks like an address or a text). Not written, and None: a second mail with the same `once_key`, one
    of a sort that the person of `args["person_id"]` has stopped, and any to somebody who is gone. The mail leaves
    after the commit; ask for nothing about it here. `is_bulk`: it is one of many, and gives way to those that somebody
    waits for.
    """
    _check(kind, args)
    if to.endswith(NOBODY) or not queries.is_wanted(kind, args):
        return None
    statement = (
        _insert(OutboxMail)
        .values(**_mail(kind, Recipient(0, to, locale), args) | {"is_bulk": is_bulk, "once_key": once_key})
        .on_conflict_do_nothing(index_elements=["once_key"])
        .returning(OutboxMail.id)
    )
    with transaction("mail.send"):
        outbox_id: int | None = db.session.scalar(statement)
        if outbox_id is not None and not is_bulk:
            hint("mail.deliver", outbox_id)
    return outbox_id


def send_test(kind: str, to: str, locale: str, token: str) -> int | None:
    """Put a mail of `kind` with its example into the outbox, marked as a test; LookupError for an unknown kind.

    It goes the way of every mail: through the outbox, the worker and the mail server. `token` names one press of one
    button: the same again sends nothing, and is None.
    """
    return send(kind, to, locale, {TEST: 1}, once_key=f"test:{token}")


def broadcast(audience: str, kind: str, args: Args, once_key: str) -> bool:
    """Tell everybody in an audience, inside the caller's transaction (or one of its own); False if they were told.

    `audience` is a name in `wiring.AUDIENCES` and `kind` a mail of the catalogue (LookupError otherwise); `args`
    are ids only, for the audience and for the mail, which also gets "person_id". `once_key` of at most 170
    characters names the news: whatever happens, each person gets one mail with it, over all sources of the
    audience and all callers. Who is told is asked a moment later, by `mail.spread`.
    """
    _check(kind, args)
    now = clock.now()
    n_new = 0
    with transaction("mail.broadcast"):
        for source in sources_of(audience):
            statement = (
                _insert(Broadcast)
                .values(
                    audience=audience,
                    source=source,
                    kind=kind,
                    args=args,
                    once_key=once_key,
                    after_person_id=0,
                    n_people=0,
                    created_at=now,
                )
                .on_conflict_do_nothing(index_elements=["once_key", "source"])
                .returning(Broadcast.id)
            )
            broadcast_id = db.session.scalar(statement)
            if broadcast_id is not None:
                n_new += 1
                hint("mail.spread", broadcast_id)
    return n_new > 0


def spread(broadcast_id: int, now: datetime) -> bool:
    """Write the mails to the next few hundred people of a broadcast; False when there is nothing left to do here.

    Mails and cursor are one transaction, so that a death at any point repeats nothing and skips nobody. A
    broadcast that another worker holds at this moment is left to it.
    """
    mine = select(Broadcast).where(Broadcast.id == broadcast_id, Broadcast.done_at.is_(None))
    with transaction("mail.spread"):
        row = db.session.scalar(mine.with_for_update(skip_locked=True), execution_options={"populate_existing": True})
        if row is None:
            return False
        people = sources_of(row.audience)[row.source](row.args, row.after_person_id, PEOPLE_AT_A_TIME)
        if people:
            _write_mails(row, people)
        else:
            row.done_at = now
    return bool(people)


def _write_mails(row: Broadcast, people: Sequence[Recipient]) -> None:
    ids = [row.after_person_id, *(person.person_id for person in people)]
    if ids != sorted(ids) or ids[0] == ids[1]:
        raise ValueError(f"{row.source} does not answer in order of the people's ids.")
    wanted = queries.who_wants(row.kind, {person.person_id for person in people if not person.email.endswith(NOBODY)})
    mails = [
        _mail(row.kind, person, row.args | {"person_id": person.person_id})
        | {"is_bulk": True, "once_key": f"{row.once_key}:{person.person_id}"}
        for person in people
        if person.person_id in wanted
    ]
    if mails:
        statement = _insert(OutboxMail).on_conflict_do_nothing(index_elements=["once_key"])
        db.session.connection().execute(statement, mails)
    row.after_person_id = ids[-1]
    row.n_people += len(people)


def _mail(kind: str, to: Recipient, args: Args) -> dict[str, Any]:
    return {
        "kind": kind,
        "to_address": to.email,
        "locale": to.locale,
        "args": args,
        "state": WAITING,
        "is_bulk": False,
        "attempts": 0,
        "n_unanswered": 0,
        "fence": 0,
        "next_try_at": clock.real_now(),
        "created_at": clock.now(),
    }


def _insert(model: type[OutboxMail | Broadcast]) -> Any:
    """INSERT … ON CONFLICT in the words of this database."""
    return (insert_on_sqlite if is_sqlite() else insert_on_postgresql)(model)


def _check(kind: str, args: Args) -> None:
    if find_entry(kind) is None:
        raise LookupError(f"No mail is called {kind!r}; is its emails.py listed in wiring?")
    for name, value in args.items():
        if isinstance(value, str) and ("@" in value or len(value) > LONGEST_ARG):
            raise ValueError(f"{name} of {kind}: the outbox keeps ids only.")


def claim(outbox_id: int) -> OutboxMail | None:
    """Lease a mail that is due for one attempt; None where it is done, not due, or in other hands."""
    at = clock.real_now()
    due = (OutboxMail.state == WAITING) & (OutboxMail.next_try_at <= at)
    abandoned = (OutboxMail.state == SENDING) & (OutboxMail.lease_until <= at)
    statement = (
        update(OutboxMail)
        .where(OutboxMail.id == outbox_id, or_(due, abandoned))
        .values(state=SENDING, attempts=OutboxMail.attempts + 1, fence=OutboxMail.fence + 1, lease_until=at + LEASE)
        .returning(OutboxMail)
    )
    with transaction("mail.claim"):
        row = db.session.scalar(statement, execution_options={"populate_existing": True})
        if row is not None:
            db.session.refresh(row)
            db.session.expunge(row)
    return row


def mark_sent(row: OutboxMail, now: datetime, message_id: str) -> bool:
    """The server accepted it. False where the lease has gone to somebody else meanwhile."""
    return _settle(row, state=SENT, done_at=now, message_id=message_id, failure=None, last_error=None)


def mark_dropped(row: OutboxMail, now: datetime) -> bool:
    """It is no longer wanted. False where the lease has gone to somebody else meanwhile."""
    return _settle(row, state=DROPPED, done_at=now, failure=None, last_error=None)


def mark_failed(row: OutboxMail, now: datetime, failure: Failure, reason: str) -> bool:
    """The attempt failed; `reason` is a sentence without personal data. Waits, or is given up by `rules`."""
    n_unanswered = row.n_unanswered + (failure is Failure.UNANSWERED)
    wait = next_step(failure, row.attempts, n_unanswered)
    if wait is None:
        outcome = {"state": DEAD, "done_at": now}
    else:
        outcome = {"state": WAITING, "next_try_at": clock.real_now() + wait}
    return _settle(row, failure=failure.value, last_error=reason[:300], n_unanswered=n_unanswered, **outcome)


def _settle(row: OutboxMail, **outcome: object) -> bool:
    statement = (
        update(OutboxMail)
        .where(OutboxMail.id == row.id, OutboxMail.state == SENDING, OutboxMail.fence == row.fence)
        .values(lease_until=None, tried_at=clock.real_now(), **outcome)
        .returning(OutboxMail.id)
    )
    with transaction("mail.settle"):
        return db.session.scalar(statement) is not None


def forget_addresses(now: datetime, after: timedelta) -> int:
    """Empty the addresses of mails that were done more than `after` ago; how many (decision 13)."""
    statement = (
        update(OutboxMail)
        .where(OutboxMail.done_at < now - after, OutboxMail.to_address.is_not(None), OutboxMail.state.in_(DONE))
        .values(to_address=None)
        .returning(OutboxMail.id)
    )
    with transaction("mail.forget"):
        return len(db.session.scalars(statement).all())
