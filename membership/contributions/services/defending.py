"""Payment pages while card testers are about: who must confirm an address first, and when the mails for it leave."""

from datetime import timedelta

import structlog
from sqlalchemy import func, select

from membership.accounts.rules import mailbox
from membership.billing.queries import count_tries
from membership.contributions.models import Confirmation, Contribution, StanceChange
from membership.contributions.rules import State
from membership.contributions.rules.defence import LONG, SHORT, Stance, Tries, stance_for
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import NotFound, TooMany
from membership.mail import services as mail
from membership.web import ratelimit, settings
from membership.web.links import absolute

log = structlog.get_logger(__name__)

CONFIRM_WITHIN = timedelta(hours=24)
# Once a minute (the job `guard`).
MAILS_AT_A_TIME = 20
MAILS_WHILE_CLOSED = 3


def count(span: timedelta) -> Tries:
    """What became of payment pages within `span` until now (real time)."""
    n = count_tries(clock.real_now() - span)
    return Tries(n["opened"], n["paid"], n["declined"])


def stance_now() -> Stance:
    """How the payment page is guarded at this moment; always NORMAL where limits are off (RATE_LIMITS)."""
    return stance_for(count(SHORT), count(LONG)) if settings().rate_limits else Stance.NORMAL


def ask_to_confirm(contribution_id: int, stance: Stance, network: str) -> str:
    """Let a wish wait until its address was confirmed by mail, and return the address of the page that says so.

    The mail leaves at once; while the page is CLOSED, or where many such mails went out already, when its turn comes
    (`invite_waiting`). Nobody is refused here, and nobody's mailbox is flooded with the help of ours: what is too much
    for one mailbox is not sent, now or later, and the page says the same.
    """
    email = db.session.get_one(Contribution, contribution_id).email
    domain = email.rpartition("@")[2]
    is_known = db.session.get(Confirmation, contribution_id) is not None
    is_too_much = not is_known and not _may_go("checkout.confirm_email", mailbox(email))
    is_at_once = is_known or (stance is not Stance.CLOSED and (is_too_much or _may_mail_at_once(domain)))
    with transaction("contributions.ask_to_confirm"):
        row = db.session.get_one(Contribution, contribution_id, populate_existing=True, with_for_update=True)
        if db.session.get(Confirmation, contribution_id) is None:
            row.checkout_expires_at = clock.now() + CONFIRM_WITHIN
            waiting = Confirmation(
                contribution_id=row.id,
                asked_at=clock.real_now(),
                network=_digest("network", network),
                mail_domain=_digest("mail_domain", domain),
            )
            db.session.add(waiting)
            if is_too_much:
                waiting.mailed_at = waiting.asked_at
            elif is_at_once:
                _invite(row, waiting)
    return absolute("contributions.confirm_asked", **({} if is_at_once else {"later": "1"}))


def _may_mail_at_once(domain: str) -> bool:
    return _may_go("checkout.confirm_domain", domain) and _may_go("checkout.confirm_total")


def _may_go(rule: str, *keys: str) -> bool:
    try:
        ratelimit.hit(rule, *keys)
    except TooMany:
        return False
    return True


def _digest(kind: str, text: str) -> str:
    return ids.keyed_digest(settings().secret_key.get_secret_value(), f"confirmation.{kind}", text)


def confirm(reference: str, open_for: timedelta) -> Contribution:
    """Somebody came by the mail: the wish may go on, its payment page for `open_for`.

    Raises NotFound where it is over or never waited. Any number of times, with the same end.
    """
    with transaction("contributions.confirm"):
        row = db.session.scalar(
            select(Contribution).where(Contribution.reference == reference).with_for_update(),
            execution_options={"populate_existing": True},
        )
        waiting = db.session.get(Confirmation, row.id) if row else None
        if row is None or waiting is None or row.state == State.ABANDONED:
            raise NotFound("confirmation_over", "This link is no longer valid. Please begin again.")
        if waiting.opened_at is None:
            waiting.opened_at = clock.real_now()
            row.checkout_expires_at = clock.now() + open_for
        return row


def invite_waiting() -> None:
    """Send some of the mails that wait; fewer while the page is CLOSED, so that nobody can keep it shut for all.

    Those go first of whose network and mail domain few have asked within the day, mailed or not: a reader among
    thousands of scripted wishes, which come from the same networks again and again, has not to wait for all of them.
    """
    n_now = MAILS_WHILE_CLOSED if stance_now() is Stance.CLOSED else MAILS_AT_A_TIME
    turns = [
        func.row_number().over(partition_by=column, order_by=Confirmation.asked_at)
        for column in (Confirmation.network, Confirmation.mail_domain)
    ]
    is_waiting = Confirmation.mailed_at.is_(None)
    asked = (
        select(Confirmation.contribution_id, Confirmation.mailed_at, (turns[0] + turns[1]).label("turn"))
        .where(Confirmation.asked_at > clock.real_now() - CONFIRM_WITHIN)
        .subquery()
    )
    first = select(asked.c.contribution_id).where(asked.c.mailed_at.is_(None))
    with transaction("contributions.invite_waiting"):
        chosen = db.session.scalars(first.order_by(asked.c.turn, asked.c.contribution_id).limit(n_now)).all()
        rows = select(Confirmation).where(Confirmation.contribution_id.in_(chosen), is_waiting)
        for row in db.session.scalars(rows.with_for_update(skip_locked=True)).all():
            contribution = db.session.get_one(Contribution, row.contribution_id)
            if contribution.state == State.STARTED:
                _invite(contribution, row)
            else:
                row.mailed_at = clock.real_now()  # its wish is over


def _invite(contribution: Contribution, waiting: Confirmation) -> None:
    waiting.mailed_at = clock.real_now()
    mail.send(
        "contributions/confirm",
        contribution.email,
        contribution.locale,
        {"contribution_id": contribution.id},
        once_key=f"confirm:{contribution.reference}",
    )


def watch() -> None:
    """Write down when the stance has changed, so that staff see storms come and go."""
    short = count(SHORT)
    now = stance_now()
    with transaction("contributions.watch_stance"):
        last = db.session.scalar(select(StanceChange.stance).order_by(StanceChange.id.desc()).limit(1))
        if now == (last or Stance.NORMAL):
            return
        counts = {"n_opened": short.n_opened, "n_paid": short.n_paid, "n_declined": short.n_declined}
        db.session.add(StanceChange(stance=now.value, at=clock.real_now(), **counts))
    log.warning("alert_payment_page_guarded", stance=now.value, **counts)
