"""What must be asked: the database, the payment company, the mail server, the queue, the worker, the clocks."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import text

from membership.billing.port import PaymentProvider
from membership.billing.queries import count_inbox, find_last_received
from membership.cli.doctor import newsroom, polls
from membership.cli.doctor.finding import Finding, fine, note, problem
from membership.config import Settings
from membership.db import db, is_sqlite
from membership.front.queries.readiness import Check, check_all
from membership.hints import open_queue, queue_path
from membership.kernel import clock
from membership.mail import smtp
from membership.mail.letters import sender_address
from membership.mail.queries import find_server_failure, measure_backlog
from membership.web.heartbeat import find_last_beat, is_alive

MOST_SKEW = timedelta(seconds=5)

# What a failed check of `/readyz` means, and what to do about it.
READINESS = {
    "database": (
        "Nothing works without it.",
        "Check DATABASE_URL, and that the database runs and may be reached from here.",
    ),
    "migrations": (
        "Pages and jobs that need the new tables fail.",
        "Run: membership db upgrade (with the newest version of this program).",
    ),
    "inbox": (
        "Readers have paid and are not thanked.",
        "Look at the worker's log, and at what is said about it below.",
    ),
    "books": (
        "What readers paid and what our books say may differ.",
        "Run: membership check-books. It names every difference; none of them mends itself.",
    ),
    "reconcile": (
        "Money may have moved of which nobody told us.",
        "Run: membership reconcile. It mends what can be mended and names the rest.",
    ),
    "outbox": ("Receipts and sign-in mails do not arrive.", "Look at what is said below about worker and mail server."),
}

MAIL_WAITS = (
    "Receipts and sign-in mails wait.",
    "Check SMTP_URL and the mail server; the mails leave by themselves then.",
)


WHY_PROVIDER = {
    "clock_skew": "Signatures of notices are refused when they seem older than five minutes.",
    "provider_refuses_key": "Nobody can pay.",
}
MEND_PROVIDER = {
    "clock_skew": "Switch on time synchronisation (NTP) on this machine.",
    "provider_refuses_key": "Set STRIPE_SECRET_KEY to a key of the right account and mode.",
    "webhook_missing": "Run: membership setup stripe. It makes the endpoint and prints its STRIPE_WEBHOOK_SECRET.",
    "webhook_disabled": "Run: membership setup stripe.",
    "webhook_mode": "Take key, endpoint and signing secret from the same mode.",
    "webhook_version": "Run: membership setup stripe. It makes a new endpoint with that API version.",
    "webhook_events": "Run: membership setup stripe. It adds them.",
}


def examine(known: Settings) -> Iterator[Finding]:
    """Every finding that needs somebody's answer. Where the database fails, what stands in it is left out."""
    from membership.app import create_app

    try:
        app = create_app(known)
    except ImportError as error:
        words = f"The driver for this database is not installed ({error.name})."
        yield problem("database", words, READINESS["database"][0], "Install reader-membership[postgres].")
        return
    except OSError as error:
        words = f"The folder of the database cannot be used ({error.strerror})."
        yield problem("database", words, *READINESS["database"])
        return
    with app.app_context():
        try:
            yield from _ask_all(known)
        finally:
            db.session.remove()
            db.engine.dispose()


def _ask_all(known: Settings) -> Iterator[Finding]:
    checks = check_all(clock.real_now())
    yield from (_from_check(check) for check in checks)
    if checks[0].is_ok:
        yield from _database_clock()
    if all(check.is_ok for check in checks if check.name in {"database", "migrations"}):
        yield from _inside(known)
        yield from polls.examine()
        yield from newsroom.examine()
    yield from _provider()
    yield from _mail_server(known)
    yield from _queue(known)


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
        yield problem(
            "database_clock",
            f"The clocks of this machine and of the database differ by {abs(round(skew.total_seconds()))} seconds.",
            "Machines that share a database must agree on the time, or leases and sign-in codes end early or late.",
            "Switch on time synchronisation (NTP) on both machines.",
        )
    else:
        yield fine("database_clock", "The database's clock agrees with this machine's.")


def _inside(known: Settings) -> Iterator[Finding]:
    """What our own tables tell."""
    now = clock.real_now()
    yield _worker(now)
    yield from _notices(known)
    dead = measure_backlog(now).n_by_state.get("dead", 0)
    if dead:
        words = f"{dead} mail{'s were' if dead > 1 else ' was'} given up."
        yield note("mails_dead", words, "Somebody did not get a mail.", "Their rows in outbox_mails say why.")
    failed = find_server_failure()
    if failed is not None:
        words = f"The last attempt to send a mail failed. {failed.last_error}"
        yield problem("mail_flow", words, *MAIL_WAITS)


def _worker(now: datetime) -> Finding:
    last = find_last_beat("worker")
    if is_alive("worker", now):
        return fine("worker", "A worker is running.")
    words = (
        "No worker has ever run."
        if last is None
        else f"No worker is running; the last was seen {last:%d %B %H:%M} UTC."
    )
    why = "Payments are not booked, and no mail leaves."
    return problem("worker", words, why, "Start one: membership worker (and let the system start it again by itself).")


def _notices(known: Settings) -> Iterator[Finding]:
    dead = count_inbox().get("dead", 0)
    if dead:
        words = f"{dead} notice{'s' if dead > 1 else ''} of the payment company could not be worked off."
        yield problem("inbox_dead", words, "Money may be missing in the books.", "Their rows in inbox_events say why.")
    accepted = find_last_received()
    for code, words, mend in (
        (
            "webhook_wrong_signature",
            "The last notices that came had a signature that does not fit STRIPE_WEBHOOK_SECRET.",
            f"Copy the signing secret of the endpoint {known.public_url}/stripe/webhook from the Stripe dashboard.",
        ),
        (
            "webhook_wrong_mode",
            "The last notices that came were of the other mode (live or test) than STRIPE_SECRET_KEY.",
            "Take key and signing secret from the same mode.",
        ),
        (
            "webhook_not_fresh",
            "The last notices that came were stamped more than five minutes off this machine's clock.",
            "Switch on time synchronisation (NTP).",
        ),
    ):
        refused = find_last_beat(code)
        if refused is not None and (accepted is None or refused > accepted):
            yield problem(code, words, "Readers pay and are not thanked: we do not hear of it.", mend)


def _provider() -> Iterator[Finding]:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    for told in provider.diagnose():
        if told.is_problem:
            why = WHY_PROVIDER.get(told.code, "Readers cannot pay, or we do not hear that they did.")
            yield problem(told.code, told.message, why, MEND_PROVIDER.get(told.code, "See the sentence above."))
        else:
            yield fine(told.code, told.message)


def _mail_server(known: Settings) -> Iterator[Finding]:
    try:
        with smtp.connected(known.smtp_url, own_name=sender_address().rpartition("@")[2]) as server:
            server.noop()
    except smtp.HandOverFailed as failed:
        yield problem("mail_server", failed.reason, *MAIL_WAITS)
    else:
        yield fine("mail_server", "The mail server answers and would take mail from us.")


def _queue(known: Settings) -> Iterator[Finding]:
    asked: Callable[[], object]
    if known.redis_url:
        where, asked = "Redis", open_queue(known)[0].storage.queue_size
    else:
        where, asked = f"the queue's file {queue_path(known)}", lambda: _write_to(known)
    try:
        asked()
    except Exception as error:  # noqa: BLE001 - every driver has its own errors, and all mean the same here
        yield note(
            "queue",
            f"The queue cannot be used: {where} ({type(error).__name__}).",
            "Everything still happens, but up to a minute later: thanks and sign-in mails are slow.",
            "Make its folder writable for web server and worker (QUEUE_PATH), or check REDIS_URL.",
        )
    else:
        yield fine("queue", f"The queue can be used: {where}.")


def _write_to(known: Settings) -> None:
    """Take the write lock of the queue's file (made where it is missing, as the first hint would) and let it go."""
    queue_path(known).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(queue_path(known), timeout=5)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    finally:
        connection.close()
