"""The fuse box: the payment provider, who hears which news, and what the clock does. All on one screen.

Lower rooms know nothing of higher ones; all news that travels upwards passes through the tables here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from membership.accounts import emails as accounts_emails
from membership.accounts import jobs as accounts_jobs
from membership.billing import jobs as billing_jobs
from membership.billing import port
from membership.billing.providers.stripe import StripeProvider
from membership.config import Settings
from membership.contributions import emails as contributions_emails
from membership.contributions import jobs as contributions_jobs
from membership.contributions import services as contributions
from membership.mail import jobs as mail_jobs
from membership.mail.audiences import Audiences
from membership.mail.stopping import Stopper
from membership.topics import emails as topics_emails
from membership.topics import queries as topics_queries
from membership.topics import services as topics
from membership.web import heartbeat


@dataclass(frozen=True, slots=True)
class Job:
    """Something the worker does: `function(now, *args)`; `every_seconds` makes it a sweeper as well.

    Every job is idempotent and finds its work in the database; the queue only says "soon" (ADR 0005).
    """

    function: Callable[..., bool | None]
    every_seconds: int | None = None


# Event class -> the functions that are told, in this order, in the same transaction as the money.
EVENT_HANDLERS: dict[type[Any], tuple[Callable[[Any], None], ...]] = {
    port.CheckoutFinished: (contributions.hear_checkout_finished,),
    port.CheckoutExpired: (contributions.hear_checkout_expired,),
    port.PaymentReceived: (contributions.hear_payment,),
    port.PaymentReversed: (contributions.hear_payment_reversed,),
    port.PaymentFailed: (contributions.hear_payment_failed,),
    port.SubscriptionSeen: (contributions.hear_subscription,),
}

# Rooms that write mails: loading their emails.py enters the mails into `mail.catalogue`.
MAILS = (accounts_emails, contributions_emails, topics_emails)

# Audience of a broadcast -> who is in it, asked in this order. See `mail.audiences.Source`.
AUDIENCES: Audiences = {
    "topics.followers": (topics_queries.followers_after,),
    "topics.stage": (topics_queries.followers_after,),
}

# What the link "no more mails about this" can stop, by its name in `mail.stopping.stop_url`.
STOPPERS: dict[str, Stopper] = {
    "topic": Stopper((topics.stop_news,), topics_queries.name_of, topics.resume_news),
}

JOBS: dict[str, Job] = {
    "accounts.forget": Job(accounts_jobs.forget, 3600),
    "billing.drain": Job(billing_jobs.drain, 20),
    "billing.finish_open": Job(billing_jobs.finish_open, 60),
    "billing.forget": Job(billing_jobs.forget, 3600),
    "contributions.abandon_overdue": Job(contributions_jobs.abandon_overdue, 300),
    "heartbeat.worker": Job(heartbeat.beat_worker, heartbeat.BEAT_SECONDS),
    "mail.deliver": Job(mail_jobs.deliver),
    "mail.spread": Job(mail_jobs.spread, 20),
    "mail.sweep": Job(mail_jobs.sweep, 20),
    "mail.forget": Job(mail_jobs.forget, 3600),
}


def install(app: Flask, settings: Settings) -> None:
    """Connect the rooms of this app."""
    app.extensions["membership.audiences"] = AUDIENCES
    app.extensions["membership.handlers"] = EVENT_HANDLERS
    app.extensions["membership.provider"] = StripeProvider(settings)
    app.extensions["membership.stoppers"] = STOPPERS
