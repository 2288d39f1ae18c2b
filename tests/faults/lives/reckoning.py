"""After a history has come to rest: is everything there once, and does everything follow from what Stripe says?"""

from collections import Counter, defaultdict
from datetime import datetime

from membership.billing import books
from membership.db import db
from membership.kernel import clock
from membership.patrons.queries import grants_of, spans_of
from membership.patrons.rules import place
from tests.faults.lives import coverage, stripes_view
from tests.faults.lives.world import World

LIVE = ("active", "past_due", "paused", "cancelling")


def complaints(world: World) -> list[str]:
    """Whatever does not hold, as sentences that begin with the invariant of faults.md; empty when all is well."""
    found: list[str] = []
    paid = stripes_view.payments(world)
    for question in (_books, _each_once, _totals, _notices, _coverage, _states, _mails):
        found += question(world, paid)
    db.session.rollback()
    return found


def _books(world, paid):
    """I1 and I3 as the newsroom asks them itself, and payment by payment against the provider."""
    for finding in books.check(clock.now()):
        yield f"books: {finding.message}"
    for kind, ref, currency, total in world.rows(
        "SELECT t.kind, t.provider_ref, e.currency, sum(e.amount_minor)"
        " FROM journal_entries e JOIN journal_transactions t ON t.id = e.transaction_id"
        " GROUP BY t.id, t.kind, t.provider_ref, e.currency HAVING sum(e.amount_minor) <> 0"
    ):
        yield f"I1: {kind} of {ref} does not balance: {total} {currency}"


def _each_once(world, paid):
    for kind, ref, n in world.rows(
        "SELECT kind, provider_ref, count(*) FROM journal_transactions GROUP BY kind, provider_ref HAVING count(*) > 1"
    ):
        yield f"I3: {kind} of {ref} stands {n} times in the journal"
    booked = Counter(ref for (ref,) in world.rows("SELECT provider_id FROM payments"))
    if booked != Counter(payment.id for payment in paid):
        yield f"I3: payments with us {sorted(booked)}, at Stripe {sorted(payment.id for payment in paid)}"


def _totals(world, paid):
    """I2: income and what lies with Stripe, to the cent."""
    ours, theirs = defaultdict(int), defaultdict(int)
    for account, currency, minor in world.rows(
        "SELECT account, currency, sum(amount_minor) FROM journal_entries GROUP BY account, currency"
    ):
        side = "income" if account.startswith("income") else account
        ours[side, currency] += int(minor)
    for payment in paid:
        theirs["income", payment.currency] -= payment.minor - payment.returned
    for move in world.at_stripe("balance_transaction"):
        theirs["provider_balance", move["currency"].upper()] += move["net"]
        theirs["provider_fees", move["currency"].upper()] += move["fee"]
    for side in ("income", "provider_balance", "provider_fees"):
        for currency in {key[1] for key in (*ours, *theirs)}:
            if ours[side, currency] != theirs[side, currency]:
                yield f"I2: {side} is {ours[side, currency]} {currency} with us, {theirs[side, currency]} at Stripe"


def _notices(world, paid):
    """I4: what was delivered is there, and worked off."""
    kept = dict(world.rows("SELECT id, state FROM inbox_events"))
    for event_id in world.given:
        if event_id not in kept:
            yield f"I4: the notice {event_id} has vanished"
    for event_id, type_, state, error, trace in world.rows(
        "SELECT id, type, state, last_error, traceback FROM inbox_events"
        " WHERE state NOT IN ('done', 'foreign', 'ignored', 'deferred')"
    ):
        yield f"I4: the notice {event_id} ({type_}) is {state}: {error}\n{trace or ''}"


def _coverage(world, paid):
    """I5: what is kept follows from the grants, and equals what a walk through Stripe's books finds."""
    by_person: dict[int, list[coverage.Bought]] = defaultdict(list)
    order = dict(world.rows("SELECT cause_ref, id FROM coverage_grants"))
    contributions = {
        reference: row
        for reference, *row in world.rows(
            "SELECT reference, person_id, gift_minor, charge_minor, cup_minor, currency, purpose FROM contributions"
        )
    }
    for payment in paid:
        person_id, gift, charge, cup, currency, purpose = contributions[payment.reference]
        if person_id is None:
            yield f"I5: {payment.reference} was paid for, and nobody has it"
        elif purpose == "self":
            given = gift if payment.minor == charge else payment.minor
            n_months = 0 if payment.period or currency != payment.currency else min(given // cup, 24)
            rank = order.get(f"payment:{payment.id}", 0)
            bought = coverage.Bought(payment.paid_at, rank, payment.period, n_months, payment.gone_at)
            by_person[person_id].append(bought)
    for (person_id,) in world.rows("SELECT id FROM people"):
        kept = [(span.starts_at, span.ends_at) for span in spans_of(person_id)]
        again = [(span.starts_at, span.ends_at) for span in place(grants_of(person_id))]
        if sorted(kept) != sorted(again):
            yield f"I5: spans of person {person_id} are {_days(kept)}, its grants give {_days(again)}"
        wanted = coverage.walk(by_person[person_id])
        if coverage.union(kept) != wanted:
            yield f"I5: person {person_id} is covered {_days(coverage.union(kept))}, has paid for {_days(wanted)}"


def _days(spans: list[tuple[datetime, datetime]]) -> str:
    return ", ".join(f"{start:%Y-%m-%d %H:%M:%S}/{end:%Y-%m-%d %H:%M:%S}" for start, end in spans) or "never"


def _states(world, paid):
    """Every contribution stands as its payment page and its subscription do; movements add up to the present level."""
    sessions = defaultdict(list)
    for session in world.at_stripe("checkout.session"):
        sessions[session["client_reference_id"]].append(session)
    subscriptions = {sub["metadata"].get("reference"): sub for sub in world.at_stripe("subscription")}
    money = {payment.reference for payment in paid}
    levels = defaultdict(dict)
    for reference, currency, minor in world.rows(
        "SELECT reference, currency, sum(yearly_delta_minor) FROM movements GROUP BY reference, currency"
    ):
        if minor:
            levels[reference][currency] = int(minor)
    for reference, state, rhythm in world.rows("SELECT reference, state, rhythm FROM contributions WHERE way = 'card'"):
        sub = subscriptions.get(reference)
        if reference not in money:
            allowed = _unpaid_states(sessions[reference], sub)
        elif sub is None:
            allowed = {"paid"}
        else:
            allowed = stripes_view.state_of(sub)
        if state not in allowed:
            seen = sub["status"] if sub else [session["status"] for session in sessions[reference]]
            yield f"state: {reference} ({rhythm}) is {state}, should be {' or '.join(sorted(allowed))} (Stripe: {seen})"
        minor, currency = stripes_view.yearly_level(sub) if sub and reference in money else (0, "")
        wanted = {currency: minor} if minor else {}
        if levels[reference] != wanted:
            yield f"movements: those of {reference} come to {levels[reference]} a year, should to {wanted}"


def _unpaid_states(sessions: list[dict], sub: dict | None) -> set[str]:
    if sub is not None and sub["status"] in {"canceled", "incomplete_expired"}:
        return {"abandoned"}
    if any(session["status"] == "open" for session in sessions):
        return {"started"}
    if any(session["status"] == "complete" for session in sessions):
        return {"started", "abandoned"}  # a debit on its way, or one that bounced
    return {"abandoned", "started"} if not sessions else {"abandoned"}


def _mails(world, paid):
    """I11: each payment is thanked for once, each person welcomed once."""
    receipts = Counter(
        number for (number,) in world.rows("SELECT once_key FROM outbox_mails WHERE kind = 'contributions/receipt'")
    )
    wanted = Counter(f"receipt:{payment.id}" for payment in paid)
    if receipts != wanted:
        yield f"I11: receipts {sorted(receipts.elements())}, payments {sorted(wanted.elements())}"
    welcomed = Counter(
        key for (key,) in world.rows("SELECT once_key FROM outbox_mails WHERE kind = 'contributions/welcome'")
    )
    payers = {
        person_id
        for person_id, reference in world.rows("SELECT person_id, reference FROM contributions WHERE purpose = 'self'")
        if reference in {payment.reference for payment in paid}
    }
    if welcomed != Counter(f"welcome:{person_id}" for person_id in payers):
        yield f"I11: welcomed {sorted(welcomed)}, patrons that paid {sorted(payers)}"
    noted = Counter(
        (person_id, receipt)
        for person_id, receipt in world.rows(
            "SELECT person_id, CAST(details AS VARCHAR(500)) FROM timeline_entries WHERE kind = 'payment_received'"
        )
    )
    if sum(noted.values()) != len(paid) or any(n > 1 for n in noted.values()):
        yield f"I11: the timelines tell of {sum(noted.values())} payments, there are {len(paid)}"
