"""The fuse box: the payment provider, who hears which news, and what the clock does. All on one screen.

Lower rooms know nothing of higher ones; all news that travels upwards passes through the tables here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask

from membership.accounts import emails as accounts_emails
from membership.accounts import jobs as accounts_jobs
from membership.accounts import queries as accounts_queries
from membership.accounts.services import staff as accounts_staff
from membership.appeals import jobs_counts as appeals_jobs_counts
from membership.appeals.services import collecting as appeals_collecting
from membership.appeals.services import owning as appeals_owning
from membership.billing import books, port
from membership.billing import jobs as billing_jobs
from membership.billing.providers.stripe import StripeProvider
from membership.billing.providers.stripe.currencies import SMALLEST, from_stripe
from membership.billing.reconcile import Holdings
from membership.config import Settings
from membership.contributions import checks as contributions_checks
from membership.contributions import comparing as contributions_comparing
from membership.contributions import emails as contributions_emails
from membership.contributions import jobs as contributions_jobs
from membership.contributions import queries as contributions_queries
from membership.contributions import services as contributions
from membership.contributions.queries import list_shared_cards, list_shared_customers
from membership.contributions.services import owning as contributions_owning
from membership.corrections import emails as corrections_emails
from membership.corrections import jobs as corrections_jobs
from membership.corrections import queries as corrections_queries
from membership.corrections.services import owning as corrections_owning
from membership.dashboard import checks as dashboard_checks
from membership.dashboard import examining as dashboard_examining
from membership.dashboard import jobs as dashboard_jobs
from membership.dashboard.services import owning as dashboard_owning
from membership.front import jobs as front_jobs
from membership.front.queries import kept as front_kept
from membership.front.services import tagging as front_tagging
from membership.gifts import checks as gifts_checks
from membership.gifts import emails as gifts_emails
from membership.gifts import jobs as gifts_jobs
from membership.gifts import queries as gifts_queries
from membership.gifts import services as gifts
from membership.mail import jobs as mail_jobs
from membership.mail.audiences import Audiences
from membership.mail.stopping import Stopper
from membership.newsroom import queries as newsroom_queries
from membership.newsroom.port import Outlook
from membership.operations import emails as operations_emails
from membership.operations import jobs as operations_jobs
from membership.operations.examining.finding import Finding
from membership.patrons import checks as patrons_checks
from membership.patrons import emails as patrons_emails
from membership.patrons import queries as patrons_queries
from membership.patrons import services as patrons
from membership.polls import emails as polls_emails
from membership.polls import jobs as polls_jobs
from membership.polls import queries as polls_queries
from membership.polls import services as polls
from membership.polls.queries import roll as polls_roll
from membership.polls.services import owning as polls_owning
from membership.topics import emails as topics_emails
from membership.topics import queries as topics_queries
from membership.topics import services as topics
from membership.topics.services import owning as topics_owning
from membership.transfers import checks as transfers_checks
from membership.transfers import emails as transfers_emails
from membership.transfers import jobs as transfers_jobs
from membership.transfers import queries as transfers_queries
from membership.transfers import services as transfers
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
    port.PaymentReceived: (contributions.hear_payment, gifts.hear_payment),
    port.PaymentReversed: (contributions.hear_payment_reversed, gifts.hear_payment_reversed),
    port.PaymentFailed: (contributions.hear_payment_failed,),
    port.PaymentPending: (contributions.hear_payment_pending,),
    port.FraudWarned: (contributions.hear_warning,),
    port.RefundFailed: (contributions.hear_refund_failed,),
    port.DisputeLost: (contributions.hear_dispute_lost,),
    port.SubscriptionSeen: (contributions.hear_subscription,),
}

# Rooms that write mails: loading their emails.py enters the mails into `mail.catalogue`.
MAILS = (
    accounts_emails,
    contributions_emails,
    gifts_emails,
    patrons_emails,
    topics_emails,
    polls_emails,
    transfers_emails,
    corrections_emails,
    operations_emails,
)

# Audience of a broadcast -> who is in it, asked in this order. See `mail.audiences.Source`.
AUDIENCES: Audiences = {
    "polls.news": (polls_queries.news_after,),
    "polls.not_voted": (polls_queries.not_voted_after,),
    "polls.roll": (polls_queries.roll_after,),
    "topics.followers": (topics_queries.followers_after,),
    "topics.stage": (topics_queries.followers_after, polls_queries.voters_of_chosen_topic_after),
}

# What the link "no more mails about this" can stop, by its name in `mail.stopping.stop_url`.
STOPPERS: dict[str, Stopper] = {
    "poll": Stopper((polls.stop_news,), polls_queries.title_of, polls.resume_news),
    "topic": Stopper((topics.stop_news,), topics_queries.name_of, topics.resume_news),
    "transfer": Stopper((transfers.withdraw,), transfers_queries.name_of_declaration, transfers.announce_again),
}

# Who knows which people seem to pay from one account; staff are shown them before they open a poll (decision 17).
SHARED_PAYERS: tuple[Callable[[], list[list[int]]], ...] = (list_shared_customers, list_shared_cards)

# What rooms hold of things at the payment provider, for reconcile to compare.
HOLDINGS: tuple[Holdings, ...] = (Holdings(contributions_comparing.differences, contributions_comparing.live_after),)

# What check-books asks of the rooms above the books: `(scope)`, each yields what does not hold.
CHECKS: tuple[books.Question, ...] = (
    *patrons_checks.CHECKS,
    *contributions_checks.CHECKS,
    *gifts_checks.CHECKS,
    *transfers_checks.CHECKS,
    *dashboard_checks.CHECKS,
)

# What the doctor asks of the rooms above it: each yields findings, from our own tables alone.
EXAMINERS: tuple[Callable[[], Iterable[Finding]], ...] = (dashboard_examining.examine,)

# What every room does when a person is erased: `(person_id, at)`, inside one transaction. It empties each column in
# which somebody typed something, or that names the person; amounts, ids and moments stay (decision 13).
# They come in the order in which everybody locks: lines of statements, contributions, then the person, whom accounts
# empty at the end. The dashboard locks nothing but its sums.
ERASERS: tuple[Callable[[int, datetime], None], ...] = (
    transfers.hold_lines,
    contributions_owning.erase,
    gifts.erase,
    transfers.erase_person,
    topics_owning.erase,
    corrections_owning.erase,
    front_tagging.erase,
    dashboard_owning.erase,
)

# What has to happen before that with other companies: `(person_id, attempt_key)`, outside any transaction.
LEAVERS: tuple[Callable[[int, str], None], ...] = (contributions_owning.leave,)

# Who is told that a person's address changed: `(person_id, email, attempt_key)`, outside any transaction.
ADDRESS_FOLLOWERS: tuple[Callable[[int, str, str], None], ...] = (contributions_owning.rename,)

# What every room does when staff find that two people are one: `(from_id, into_id, at)`, inside one transaction.
# Afterwards no row of the room names the first one. It may refuse with Conflict; then nothing has happened.
# The order is that in which everybody locks: items of runs, contributions, topics, then (by patrons) both people.
# Gifts come once more after that: a code that was redeemed in between is found then, and nobody redeems one for a
# person who is locked. The dashboard is last: it locks nothing but its sums, of which nobody else waits for people.
MERGERS: tuple[Callable[[int, int, datetime], None], ...] = (
    front_tagging.merge,
    contributions_owning.merge,
    gifts.merge,
    transfers.merge_people,
    topics_owning.merge,
    corrections_owning.merge,
    appeals_owning.merge,
    patrons.merge,
    gifts.merge,
    polls_owning.merge,
    dashboard_owning.merge,
)

# What every room hands out to a member who asks for their data, by its name there: the rows of `(person_id)`, each
# a flat dict of plain values (text, numbers, moments, None).
EXPORTERS: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "profile": accounts_queries.export_profile,
    "contributions": contributions_queries.export_of,
    "payments": contributions_queries.export_payments,
    "refunds": contributions_queries.export_refunds,
    "coverage": patrons_queries.export_of,
    "grace": patrons_queries.export_graces,
    "movements": patrons_queries.export_movements,
    "gifts": gifts_queries.export_of,
    "transfers": transfers_queries.export_of,
    "accounts": transfers_queries.export_accounts,
    "tags": front_kept.export_tags,
    "proposals": topics_queries.export_proposals,
    "follows": topics_queries.export_follows,
    "corrections": corrections_queries.export_of,
    "rolls": polls_roll.export_of,
    "mails": accounts_queries.export_mails,
    "sessions": accounts_queries.export_sessions,
    "timeline": accounts_queries.export_timeline,
}

# What the settings of the newsroom ask of the rooms above it. An audit log is told of every change in `listeners`.
OUTLOOK = Outlook(
    n_running=contributions_queries.n_running,
    n_awaited=transfers_queries.n_awaited,
    n_readers=accounts_queries.n_readers,
    n_patrons=patrons_queries.n_patrons,
    monthly_gifts=contributions_queries.monthly_gifts,
    least_charges={code: from_stripe(least, code).minor for code, least in SMALLEST.items()},
    name_staff=accounts_queries.name_staff,
    listeners=(accounts_staff.tell_of_ways,),
)

JOBS: dict[str, Job] = {
    "accounts.erase": Job(accounts_jobs.erase, 60),
    "accounts.follow_addresses": Job(accounts_jobs.follow_addresses, 60),
    "accounts.forget": Job(accounts_jobs.forget, 3600),
    "accounts.lapse_approvals": Job(accounts_jobs.lapse_approvals, 600),
    "appeals.tidy_counts": Job(appeals_jobs_counts.tidy, 3600),
    "billing.check_books": Job(billing_jobs.check_books, 600),
    "billing.drain": Job(billing_jobs.drain, 20),
    "billing.finish_open": Job(billing_jobs.finish_open, 60),
    "billing.forget": Job(billing_jobs.forget, 3600),
    "billing.take_up": Job(billing_jobs.take_up, 3600),
    "billing.reconcile": Job(billing_jobs.reconcile, 600),
    "billing.sweep": Job(billing_jobs.sweep, 300),
    "contributions.abandon_overdue": Job(contributions_jobs.abandon_overdue, 300),
    "contributions.find_silent": Job(contributions_jobs.find_silent, 86400),
    "contributions.flag_seconds": Job(contributions_jobs.flag_seconds, 300),
    "contributions.forget_late": Job(contributions_jobs.forget_late, 60),
    "contributions.guard": Job(contributions_jobs.guard, 60),
    "contributions.look_after_pending": Job(contributions_jobs.look_after_pending, 21600),
    "contributions.notice": Job(contributions_jobs.notice, 300),
    "contributions.send_refunds": Job(contributions_jobs.send_refunds, 60),
    "contributions.stop_due": Job(contributions_jobs.stop_due, 60),
    "contributions.try_new_cards": Job(contributions_jobs.try_new_cards, 60),
    "corrections.forget": Job(corrections_jobs.forget, 3600),
    "dashboard.fetch_rates": Job(dashboard_jobs.fetch_rates, 6 * 3600),
    "dashboard.forget": Job(dashboard_jobs.forget, 86400),
    "dashboard.freeze_stays": Job(dashboard_jobs.freeze_stays, 3600),
    "dashboard.roll": Job(dashboard_jobs.roll, 60),
    "front.forget": Job(front_jobs.forget, 3600),
    "front.work_off": Job(front_jobs.work_off, 20),
    "gifts.forget": Job(gifts_jobs.forget, 3600),
    "gifts.remind": Job(gifts_jobs.remind, 3600),
    "gifts.send_due": Job(gifts_jobs.send_due, 60),
    "heartbeat.worker": Job(heartbeat.beat_worker, heartbeat.BEAT_SECONDS),
    "mail.deliver": Job(mail_jobs.deliver),
    "mail.spread": Job(mail_jobs.spread, 20),
    "mail.sweep": Job(mail_jobs.sweep, 20),
    "mail.forget": Job(mail_jobs.forget, 3600),
    "operations.count": Job(operations_jobs.count, 600),
    "operations.examine": Job(operations_jobs.examine, 300),
    "polls.close_due": Job(polls_jobs.close_due, 10),
    "polls.link": Job(polls_jobs.link, 5),
    "polls.open_due": Job(polls_jobs.open_due, 60),
    "polls.remind": Job(polls_jobs.remind, 60),
    "polls.wipe": Job(polls_jobs.wipe, 60),
    "transfers.book_certain": Job(transfers_jobs.book_certain, 60),
    "transfers.forget": Job(transfers_jobs.forget, 3600),
    "transfers.lapse": Job(transfers_jobs.lapse, 3600),
    "transfers.remind": Job(transfers_jobs.remind, 3600),
}


def install(app: Flask, settings: Settings) -> None:
    """Connect the rooms of this app."""
    app.extensions["membership.address_followers"] = ADDRESS_FOLLOWERS
    appeals_collecting.install(app)
    app.extensions["membership.audiences"] = AUDIENCES
    app.extensions["membership.erasers"] = ERASERS
    app.extensions["membership.examiners"] = EXAMINERS
    app.extensions["membership.exporters"] = EXPORTERS
    app.extensions["membership.checks"] = CHECKS
    app.extensions["membership.holdings"] = HOLDINGS
    app.extensions["membership.handlers"] = EVENT_HANDLERS
    app.extensions["membership.house"] = newsroom_queries.house
    app.extensions["membership.leavers"] = LEAVERS
    app.extensions["membership.mergers"] = MERGERS
    app.extensions["membership.outlook"] = OUTLOOK
    app.extensions["membership.provider"] = StripeProvider(settings)
    app.extensions["membership.shared_payers"] = SHARED_PAYERS
    app.extensions["membership.stoppers"] = STOPPERS
