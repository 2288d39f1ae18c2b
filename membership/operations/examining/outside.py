"""What must be asked: the database, the payment company, the mail server, the queue, the clocks."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import text

from membership.billing.port import PaymentProvider
from membership.config import Settings
from membership.db import db, is_sqlite, outside_call
from membership.hints import open_queue, queue_path
from membership.kernel import clock
from membership.kernel.said import said
from membership.mail import smtp
from membership.mail.letters import sender_address
from membership.operations.examining import inside, newsroom, polls
from membership.operations.examining.finding import Finding, fine, note, problem
from membership.operations.queries.readiness import Check, check_all

MOST_SKEW = timedelta(seconds=5)

# What a failed check of `/readyz` means, and what to do about it.
READINESS = {
    "database": (
        said("Nothing works without it."),
        said("Check DATABASE_URL, and that the database runs and may be reached from here."),
    ),
    "migrations": (
        said("Pages and jobs that need the new tables fail."),
        said("Run: membership db upgrade (with the newest version of this program)."),
    ),
    "inbox": (
        said("Readers have paid and are not thanked."),
        said("Look at the worker's log, and at what is said about it below."),
    ),
    "books": (
        said("What readers paid and what our books say may differ."),
        said("Run: membership check-books. It names every difference; none of them mends itself."),
    ),
    "reconcile": (
        said("Money may have moved of which nobody told us."),
        said("Run: membership reconcile. It mends what can be mended and names the rest."),
    ),
    "audit": (
        said("Somebody may have changed the log of what staff did."),
        said("Run: membership audit verify. It names the first row that is not what was written."),
    ),
    "outbox": (
        said("Receipts and sign-in mails do not arrive."),
        said("Look at what is said below about worker and mail server."),
    ),
}

WHY_PROVIDER = {
    "clock_skew": said("Signatures of notices are refused when they seem older than five minutes."),
    "provider_refuses_key": said("Nobody can pay."),
}
MEND_PROVIDER = {
    "clock_skew": said("Switch on time synchronisation (NTP) on this machine."),
    "provider_refuses_key": said("Set STRIPE_SECRET_KEY to a key of the right account and mode."),
    "webhook_missing": said(
        "Run: membership setup stripe. It makes the endpoint and prints its STRIPE_WEBHOOK_SECRET."
    ),
    "webhook_disabled": said("Run: membership setup stripe."),
    "webhook_mode": said("Take key, endpoint and signing secret from the same mode."),
    "webhook_version": said("Run: membership setup stripe. It makes a new endpoint with that API version."),
    "webhook_events": said("Run: membership setup stripe. It adds them."),
}


def examine(known: Settings) -> Iterator[Finding]:
    """Every finding that needs somebody's answer, inside an app context and outside any transaction.

    Where the database fails, what stands in it is left out.
    """
    checks = check_all(clock.real_now())
    yield from (_from_check(check) for check in checks)
    if checks[0].is_ok:
        yield from _database_clock()
    if all(check.is_ok for check in checks if check.name in {"database", "migrations"}):
        yield from inside.examine(known)
        yield from polls.examine()
        yield from newsroom.examine()
        for examiner in current_app.extensions["membership.examiners"]:
            yield from examiner()
    yield from _provider()
    yield from _mail_server(known)
    yield from _queue(known)


def unreachable(words: str, mend: str | None = None) -> Finding:
    """The database cannot be used at all, for the reason in `words`."""
    why, usual = READINESS["database"]
    return problem("database", words, why, mend or usual)


def _from_check(check: Check) -> Finding:
    if check.is_ok:
        return fine(check.name, check.sentence)
    return problem(check.name, check.sentence, *READINESS[check.name])


def _database_clock() -> Iterator[Finding]:
    if is_sqlite():
        return  # it has no clock of its own
    began = clock.real_now()
    theirs: datetime | None = db.session.scalar(text("SELECT clock_timestamp()"))
    db.session.rollback()
    if theirs is None:
        return
    skew = theirs.astimezone(UTC) - (began + (clock.real_now() - began) / 2)
    if abs(skew) > MOST_SKEW:
        seconds = abs(round(skew.total_seconds()))
        yield problem(
            "database_clock",
            said("The clocks of this machine and of the database differ by %(n)s seconds.", n=seconds),
            said(
                "Machines that share a database must agree on the time, or leases and sign-in codes end early or late."
            ),
            said("Switch on time synchronisation (NTP) on both machines."),
        )
    else:
        yield fine("database_clock", said("The database's clock agrees with this machine's."))


def _provider() -> Iterator[Finding]:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    with outside_call("stripe.diagnose"):
        told_all = provider.diagnose()
    for told in told_all:
        if told.is_problem:
            why = WHY_PROVIDER.get(told.code, said("Readers cannot pay, or we do not hear that they did."))
            yield problem(told.code, told.message, why, MEND_PROVIDER.get(told.code, said("See the sentence above.")))
        else:
            yield fine(told.code, told.message)


def _mail_server(known: Settings) -> Iterator[Finding]:
    own_name = sender_address().rpartition("@")[2]
    try:
        with outside_call("mail.smtp.look"), smtp.connected(known.smtp_url, own_name=own_name) as server:
            server.noop()
    except smtp.HandOverFailed as failed:
        yield problem("mail_server", failed.reason, *inside.MAIL_WAITS)
    else:
        yield fine("mail_server", said("The mail server answers and would take mail from us."))


def _queue(known: Settings) -> Iterator[Finding]:
    asked: Callable[[], object]
    if known.redis_url:
        where, asked = "Redis", open_queue(known)[0].storage.queue_size
    else:
        where, asked = str(queue_path(known)), lambda: _write_to(known)
    try:
        asked()
    except Exception as error:  # noqa: BLE001 - every driver has its own errors, and all mean the same here
        yield note(
            "queue",
            said("The queue cannot be used: %(where)s (%(error)s).", where=where, error=type(error).__name__),
            said("Everything still happens, but up to a minute later: thanks and sign-in mails are slow."),
            said("Make its folder writable for web server and worker (QUEUE_PATH), or check REDIS_URL."),
        )
    else:
        yield fine("queue", said("The queue can be used: %(where)s.", where=where))


def _write_to(known: Settings) -> None:
    """Take the write lock of the queue's file (made where it is missing, as the first hint would) and let it go."""
    queue_path(known).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(queue_path(known), timeout=5)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    finally:
        connection.close()
