"""After a history has come to rest: is everybody covered, written to and forgotten as they ought to be?"""

from collections import Counter
from datetime import datetime

from sqlalchemy import select

from membership.db import db
from membership.patrons.queries import grants_of, spans_of
from membership.patrons.rules import place
from tests.faults.lives import coverage

OVER = ("canceled", "incomplete_expired")


def _coverage(world, facts):
    """I5: what is kept follows from the grants, and equals what a walk through what was really done finds."""
    order = dict(world.rows("SELECT cause_ref, id FROM coverage_grants"))
    by_person = {}
    for reader, bought in facts.bought(order).items():
        if reader in facts.persons:
            by_person[facts.persons[reader]] = bought
        else:
            yield f"I5: {reader.email} ({reader.name}) has paid, and is nobody"
    for (person_id,) in world.rows("SELECT id FROM people"):
        kept = [(span.starts_at, span.ends_at) for span in spans_of(person_id)]
        again = [(span.starts_at, span.ends_at) for span in place(grants_of(person_id))]
        if sorted(kept) != sorted(again):
            yield f"I5: spans of person {person_id} are {_days(kept)}, its grants give {_days(again)}"
        wanted = coverage.walk(by_person.get(person_id, []))
        if coverage.union(kept) != wanted:
            yield f"I5: person {person_id} is covered {_days(coverage.union(kept))}, ought to be {_days(wanted)}"


def _days(spans: list[tuple[datetime, datetime]]) -> str:
    return ", ".join(f"{start:%Y-%m-%d %H:%M:%S}/{end:%Y-%m-%d %H:%M:%S}" for start, end in spans) or "never"


def _owners(world, facts):
    """Whatever was begun under somebody's address is theirs, or whose they turned out to be."""
    for reference, person_id in world.rows("SELECT reference, person_id FROM contributions WHERE way = 'card'"):
        wish = facts.wishes.get(reference)
        if wish and person_id is not None and person_id != facts.persons.get(wish.reader.by_now()):
            yield f"owner: {reference} of {wish.reader.email} ({wish.reader.name}) belongs to person {person_id}"


def _receipts(world, facts):
    """I11: each payment is thanked for once, and told of once; nobody who was forgotten by then is written to."""
    rows = world.rows("SELECT once_key FROM outbox_mails WHERE kind = 'contributions/receipt'")
    receipts = Counter(key for (key,) in rows)
    payments = [(paid.id, facts.wishes[paid.reference].reader) for paid in facts.paid]
    payments += [(came.id, came.reader) for came in facts.others.came]
    wanted = Counter(f"receipt:{name}" for name, reader in payments if reader.by_now().forgotten_at is None)
    possible = Counter(f"receipt:{name}" for name, _ in payments)
    if wanted - receipts or receipts - possible:
        yield f"I11: receipts {sorted(receipts.elements())}, payments {sorted(wanted.elements())} of {sorted(possible)}"
    lines = "SELECT person_id, CAST(details AS VARCHAR(500)) FROM timeline_entries WHERE kind = 'payment_received'"
    told = Counter(world.rows(lines))
    twice = [details for (_, details), n in told.items() if n > 1 and details != "{}"]
    if told.total() != len(payments) or twice:
        yield f"I11: the timelines tell of {told.total()} payments, there are {len(payments)}; twice of {twice}"


def _welcomes(world, facts):
    """I11: everybody who gives for themselves is welcomed once. (Two who turned out to be one may both have been.)"""
    givers = {reference: wish.reader for reference, wish in facts.wishes.items() if not wish.is_for_somebody_else}
    patrons = {givers[paid.reference] for paid in facts.paid if paid.reference in givers}
    for came in facts.others.came:
        givers[came.reference] = came.reader
        patrons.add(came.reader)
    references = dict(world.rows("SELECT id, reference FROM contributions"))
    query = "SELECT CAST(args AS VARCHAR(500)) FROM outbox_mails WHERE kind = 'contributions/welcome'"
    welcomed = Counter()
    for (args,) in world.rows(query):
        welcomed[givers.get(references[_number_in(args)])] += 1
    for reader in {reader.by_now() for reader in patrons}:
        own = [each for each in patrons if each.by_now() is reader]
        n = sum(welcomed.pop(each, 0) for each in own)
        at_least = 0 if reader.forgotten_at else 1
        if not at_least <= n <= len(own):
            yield f"I11: {reader.email} ({reader.name}) was welcomed {n} times, and is {len(own)} patrons"
    if welcomed:
        yield f"I11: welcomed without having given: {[reader and reader.name for reader in welcomed]}"


def _number_in(args: str) -> int:
    return int("".join(char for char in args if char.isdecimal()))


def _gifts(world, facts):
    """Each gift that was paid for is there, with its giver told once; whoever is to get it by mail is written to."""
    rows = world.rows("SELECT id, reference, n_months, paid_at, redeemed_at, returned_at, send_at, sent_at FROM gifts")
    gifts = {reference: row for _, reference, *row in rows}
    names = {reference: gift_id for gift_id, reference, *_ in rows}
    bought = Counter(key for (key,) in world.rows("SELECT once_key FROM outbox_mails WHERE kind = 'gifts/bought'"))
    for paid in facts.paid:
        wish = facts.wishes[paid.reference]
        if not wish.is_for_somebody_else:
            continue
        n_months, paid_at, redeemed_at, returned_at, send_at, sent_at = gifts[paid.reference]
        if paid_at is None or n_months != wish.n_months or (returned_at is None) != (paid.gone_at is None):
            yield f"gift: {paid.reference} of {wish.n_months} months, gone {paid.gone_at}, is {gifts[paid.reference]}"
        is_due = send_at is not None and str(send_at)[:19] < f"{world.hours.at:%Y-%m-%d %H:%M:%S}"
        if is_due and sent_at is None and redeemed_at is None and returned_at is None:
            yield f"gift: {paid.reference} was to be mailed at {send_at}, and was not"
        n_told = bought[f"gift-bought:{names[paid.reference]}"]
        if n_told != 1 and not facts.is_forgotten(paid.reference):
            yield f"gift: {paid.reference} is paid, and its giver was told {n_told} times"


def _forgotten(world, facts):
    """I12: who was forgotten is nowhere any more, here or at Stripe, and nothing more is taken from them."""
    gone = [reader for reader in facts.notes.readers.all if reader.by_now().forgotten_at is not None]
    if not gone:
        return
    for reader in gone:
        words = [reader.name] if _is_somebodys(reader.email, reader.over_at, facts) else [reader.name, reader.email]
        for place_, word in _places_of(words, was_somebody_else=reader.into is not None):
            yield f"I12: {reader.name} ({reader.email}) was forgotten, and {word} stands in {place_}"
    for sub in world.at_stripe("subscription"):
        if facts.is_forgotten(sub["metadata"].get("reference")) and sub["status"] not in OVER:
            yield f"I12: {sub['metadata']['reference']} of somebody who was forgotten is {sub['status']} at Stripe"
    references = {page["customer"]: page["client_reference_id"] for page in world.at_stripe("checkout.session")}
    for customer in world.at_stripe("customer"):
        if facts.is_forgotten(references.get(customer["id"])) and not customer.get("deleted"):
            yield f"I12: the customer {customer['id']} was forgotten, and Stripe still knows who it is"


def _is_somebodys(email, since, facts) -> bool:
    """Whether somebody who was not forgotten has had the address, or one of them typed it after that moment."""
    had = [each for each in facts.notes.readers.all if each.email == email and (each.into or each in facts.persons)]
    return facts.notes.readers.last_used[email] > since or any(not each.by_now().forgotten_at for each in had)


def _places_of(words, *, was_somebody_else):
    """Tables in which a word still stands.

    A line of a statement that nobody could be found for keeps its words. So does word of a card that was refused, which
    names neither contribution nor customer, under an address that was free by then: it goes with its 30 days.
    """
    for table in db.metadata.sorted_tables:
        columns = [column for column in table.columns if column.type.python_type in {str, bytes, dict, list}]
        if table.name == "statement_lines" or not columns:
            continue
        query = select(*columns)
        if table.name == "inbox_events" and was_somebody_else:
            query = query.where(table.c.type != "charge.failed")
        text = " ".join(_text_of(value) for row in db.session.execute(query) for value in row if value)
        for word in words:
            if word in text:
                yield table.name, word


def _text_of(value) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


QUESTIONS = (_coverage, _owners, _receipts, _welcomes, _gifts, _forgotten)
