"""What our own tables tell: the worker, notices and mails that were given up, notices that were refused."""

from collections.abc import Iterator
from datetime import datetime

from membership.billing.queries import count_inbox, find_last_received
from membership.config import Settings
from membership.kernel import clock
from membership.kernel.said import said
from membership.mail.queries import find_server_failure, measure_backlog
from membership.operations.examining.finding import Finding, fine, note, problem
from membership.web.heartbeat import find_last_beat, is_alive

MAIL_WAITS = (
    said("Receipts and sign-in mails wait."),
    said("Check SMTP_URL and the mail server; the mails leave by themselves then."),
)


def examine(known: Settings) -> Iterator[Finding]:
    """Every finding that needs nobody but the database, whose tables are up to date."""
    now = clock.real_now()
    yield _worker(now)
    yield from _notices(known)
    dead = measure_backlog(now).n_by_state.get("dead", 0)
    if dead:
        yield note(
            "mails_dead",
            said("Mails that were given up: %(n)s.", n=dead),
            said("Somebody did not get a mail."),
            said("See why at /staff/mails, and send them again or let them be."),
        )
    failed = find_server_failure()
    if failed is not None:
        words = said("The last attempt to send a mail failed. %(error)s", error=failed.last_error or "")
        yield problem("mail_flow", words, *MAIL_WAITS)


def _worker(now: datetime) -> Finding:
    last = find_last_beat("worker")
    if is_alive("worker", now):
        return fine("worker", said("A worker is running."))
    return problem(
        "worker",
        said("No worker has ever run.")
        if last is None
        else said("No worker is running; the last was seen %(at)s.", at=last),
        said("Payments are not booked, and no mail leaves."),
        said("Start one: membership worker (and let the system start it again by itself)."),
    )


def _notices(known: Settings) -> Iterator[Finding]:
    dead = count_inbox().get("dead", 0)
    if dead:
        yield problem(
            "inbox_dead",
            said("Notices of the payment company that could not be worked off: %(n)s.", n=dead),
            said("Money may be missing in the books."),
            said("See why at /staff/inbox, and have them worked on again once that is mended."),
        )
    accepted = find_last_received()
    for code, words, mend in (
        (
            "webhook_wrong_signature",
            said("The last notices that came had a signature that does not fit STRIPE_WEBHOOK_SECRET."),
            said(
                "Copy the signing secret of the endpoint %(url)s from the Stripe dashboard.",
                url=f"{known.public_url}/stripe/webhook",
            ),
        ),
        (
            "webhook_wrong_mode",
            said("The last notices that came were of the other mode (live or test) than STRIPE_SECRET_KEY."),
            said("Take key and signing secret from the same mode."),
        ),
        (
            "webhook_not_fresh",
            said("The last notices that came were stamped more than five minutes off this machine's clock."),
            said("Switch on time synchronisation (NTP)."),
        ),
    ):
        refused = find_last_beat(code)
        if refused is not None and (accepted is None or refused > accepted):
            yield problem(code, words, said("Readers pay and are not thanked: we do not hear of it."), mend)
