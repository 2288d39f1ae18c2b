"""After a history has come to rest: is everything there once, and does everything follow from what Stripe says?"""

from collections import Counter, defaultdict

from membership.billing import books
from membership.dashboard.services import rebuilding
from membership.db import db
from membership.kernel import clock
from tests.faults.lives import reckoning_of_people, stripes_view
from tests.faults.lives.facts import Facts
from tests.faults.lives.notebook import Notebook
from tests.faults.lives.world import World

OWN_PLACES = ("bank", "paypal", "crypto", "cash")


def complaints(world: World, notes: Notebook) -> list[str]:
    """Whatever does not hold, as sentences that begin with the invariant of faults.md; empty when all is well."""
    facts = Facts.gather(world, notes)
    found = list(facts.others.complaints())
    world.work("dashboard.roll")
    for question in (
        _books,
        _rollups,
        _each_once,
        _totals,
        _notices,
        _states,
        _other_states,
        *reckoning_of_people.QUESTIONS,
    ):
        found += question(world, facts)
    db.session.rollback()
    return found


def _books(world, facts):
    """I1 and I3 as the newsroom asks them itself, and payment by payment against the provider."""
    for finding in books.check(clock.now()):
        yield f"books: {finding.message}"
    for kind, ref, currency, total in world.rows(
        "SELECT t.kind, t.provider_ref, e.currency, sum(e.amount_minor)"
        " FROM journal_entries e JOIN journal_transactions t ON t.id = e.transaction_id"
        " GROUP BY t.id, t.kind, t.provider_ref, e.currency HAVING sum(e.amount_minor) <> 0"
    ):
        yield f"I1: {kind} of {ref} does not balance: {total} {currency}"


def _rollups(world, facts):
    """What the dashboard summed bit by bit, whoever died over it, is what all rows come to when they are summed anew;
    how many payments, and how much, is counted here.
    """
    kept = _day_sums(world)
    ours, paid = defaultdict(int), defaultdict(int)
    for measure, _day, currency, _dim, n, minor, _worth in kept:
        if measure == "payments":
            ours[currency, "n"] += n
            ours[currency, "minor"] += minor
    for currency, minor in world.rows("SELECT currency, charged_minor FROM payments"):
        paid[currency, "n"] += 1
        paid[currency, "minor"] += int(minor)
    if ours != paid:
        yield f"rollups: payments come to {dict(ours)} by days, should to {dict(paid)}"
    waiting = world.rows("SELECT source, day_on FROM stale_days")
    if waiting:
        yield f"rollups: days wait to be summed after all has come to rest: {waiting}"
    world.ask_us(lambda: rebuilding.rebuild(clock.now()))
    anew = _day_sums(world)
    if kept != anew:
        yield f"rollups: bit by bit {sorted(kept - anew, key=str)}, summed anew {sorted(anew - kept, key=str)}"


def _day_sums(world) -> set[tuple]:
    found = world.rows("SELECT measure, day_on, currency, dim, n, amount, reporting_minor FROM day_sums")
    return {tuple(row) for row in found}


def _each_once(world, facts):
    for kind, ref, n in world.rows(
        "SELECT kind, provider_ref, count(*) FROM journal_transactions GROUP BY kind, provider_ref HAVING count(*) > 1"
    ):
        yield f"I3: {kind} of {ref} stands {n} times in the journal"
    booked = Counter(ref for (ref,) in world.rows("SELECT provider_id FROM payments WHERE way = 'card'"))
    if booked != Counter(payment.id for payment in facts.paid):
        yield f"I3: payments with us {sorted(booked)}, at Stripe {sorted(payment.id for payment in facts.paid)}"


def _totals(world, facts):
    """I2: income, what lies with Stripe, and what lies with us, to the cent."""
    ours, theirs = defaultdict(int), defaultdict(int)
    for account, currency, minor in world.rows(
        "SELECT account, currency, sum(amount_minor) FROM journal_entries GROUP BY account, currency"
    ):
        side = "income" if account.startswith("income") else account
        ours[side, currency] += int(minor)
    for payment in (*facts.paid, *facts.others.came):
        theirs["income", payment.currency] -= payment.minor - payment.returned
    for came in facts.others.came:
        theirs[came.way, came.currency] += came.minor - came.returned
    for move in world.at_stripe("balance_transaction"):
        theirs["provider_balance", move["currency"].upper()] += move["net"]
        theirs["provider_fees", move["currency"].upper()] += move["fee"]
    for side in ("income", "provider_balance", "provider_fees", *OWN_PLACES):
        for currency in {key[1] for key in (*ours, *theirs)}:
            if ours[side, currency] != theirs[side, currency]:
                yield f"I2: {side} is {ours[side, currency]} {currency} with us, should be {theirs[side, currency]}"


def _notices(world, facts):
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


def _states(world, facts):
    """Every contribution stands as its payment page and its subscription do; movements add up to the present level."""
    sessions = defaultdict(list)
    for session in world.at_stripe("checkout.session"):
        sessions[session["client_reference_id"]].append(session)
    subscriptions = {sub["metadata"].get("reference"): sub for sub in world.at_stripe("subscription")}
    money = {payment.reference for payment in facts.paid}
    levels = defaultdict(dict)
    for reference, currency, minor in world.rows(
        "SELECT reference, currency, sum(yearly_delta_minor) FROM movements GROUP BY reference, currency"
    ):
        if minor:
            levels[reference][currency] = int(minor)
    for reference, state, rhythm in world.rows("SELECT reference, state, rhythm FROM contributions WHERE way = 'card'"):
        sub = subscriptions.get(reference)
        if reference not in money:
            allowed = _unpaid_states(sessions[reference], sub, shown=facts.notes.wishes)
            allowed |= {"abandoned"} if facts.is_forgotten(reference) else set()
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


def _unpaid_states(sessions: list[dict], sub: dict | None, *, shown) -> set[str]:
    if sub is not None and sub["status"] in {"canceled", "incomplete_expired"}:
        return {"abandoned"}
    open_ids = [session["id"] for session in sessions if session["status"] == "open"]
    if open_ids:  # where somebody died before it was shown, nobody can pay there: it runs out by itself
        return {"started"} if any(page_id in shown for page_id in open_ids) else {"started", "abandoned"}
    if any(session["status"] == "complete" for session in sessions):
        return {"started", "abandoned"}  # a debit on its way, or one that bounced
    return {"abandoned", "started"} if not sessions else {"abandoned"}


def _other_states(world, facts):
    """Money beside Stripe has no state but whether it came."""
    money = {came.reference for came in facts.others.came}
    for reference, state in world.rows("SELECT reference, state FROM contributions WHERE way <> 'card'"):
        allowed = {"paid"} if reference in money else {"started", "abandoned"}
        if state not in allowed:
            yield f"state: {reference} (beside Stripe) is {state}, should be {' or '.join(sorted(allowed))}"
