"""Patrons whose coverage was paid for, polls of real topics, and ballots that really were cast."""

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import insert, select

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing.models import Payment
from membership.db import db, transaction
from membership.kernel import ids
from membership.patrons import services as patrons
from membership.patrons.models import CoverageGrant, CoverageSpan
from membership.patrons.rules import Cause
from membership.polls import jobs, services
from membership.polls.models import Poll
from membership.topics import services as topics
from membership.topics.models import Topic

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
A_WEEK = timedelta(days=7)
OPENS, CLOSES = NOW, NOW + A_WEEK
TITLES = (
    "Where do the dredging contracts go?",
    "Why the night bus stopped running",
    "Who owns the empty flats on Mill Lane",
    "What the new school costs",
    "How clean is the river below the port",
    "Who pays for the stadium",
    "Why the market hall stays closed",
    "What became of the flood money",
)
_numbers = count(1)


def make_payment(provider_id: str, paid_at: datetime = NOW, minor: int = 400) -> Payment:
    """Money that came, as billing books it (without its journal)."""
    payment = Payment(
        provider_id=provider_id,
        reference=f"con_{provider_id}",
        rhythm="monthly",
        charged_minor=minor,
        currency="EUR",
        fee_minor=31,
        fee_currency="EUR",
        paid_at=paid_at,
        receipt_number=f"T-{next(_numbers):06d}",
        booked_at=paid_at,
    )
    db.session.add(payment)
    db.session.flush()
    return payment


def make_patron(
    email: str = "olena@example.org",
    *,
    paid_at: datetime = NOW - timedelta(days=40),
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    cause: Cause = Cause.PAID,
    **changes,
) -> Person:
    """A person covered by a payment of their own from `starts_at` (their payment) for 400 days, or until `ends_at`."""
    with transaction("test.make_patron"):
        person = accounts.ensure_person(email, "en", paid_at)
        person.email_proved_at = paid_at
        for name, value in changes.items():
            setattr(person, name, value)
        name = f"in_{next(_numbers):06d}"
        if cause is not Cause.COMP:
            make_payment(name, paid_at)
        begins = starts_at or paid_at
        patrons.grant_period(
            person.id,
            cause,
            payment_of_name(name) if cause is not Cause.COMP else f"comp:{name}",
            paid_at=paid_at,
            starts_at=begins,
            ends_at=ends_at or begins + timedelta(days=400),
        )
    return person


def payment_of_name(name: str) -> str:
    return f"payment:{name}"


def payment_of(person: Person) -> str:
    """What granted this person's (first) coverage: hand it to `patrons.services.revoke` for a refund."""
    grants = select(CoverageGrant.cause_ref).where(CoverageGrant.person_id == person.id).order_by(CoverageGrant.id)
    return db.session.scalar(grants.limit(1))


def refund(person: Person, at: datetime = NOW + timedelta(days=1)) -> None:
    """The whole of this person's first payment goes back."""
    patrons.revoke(payment_of(person), at)


def make_patrons(n: int, prefix: str = "voter", now: datetime = NOW) -> list[int]:
    """Ids of `n` people covered at `now`, written in bulk: for bursts, rolls and benches."""
    paid_at, ends_at = now - timedelta(days=40), now + timedelta(days=360)
    with transaction("test.make_patrons"):
        start = next(_numbers)
        names = [f"in_{prefix}{start}_{i:06d}" for i in range(n)]
        people = [
            {
                "public_id": ids.new_public_id("per"),
                "email": f"{prefix}{start}-{i}@example.org",
                "locale": "en",
                "email_proved_at": paid_at,
                "created_at": paid_at,
            }
            for i in range(n)
        ]
        connection = db.session.connection()
        connection.execute(insert(Person.__table__), people)
        mine = select(Person.id).where(Person.email.like(f"{prefix}{start}-%")).order_by(Person.id)
        person_ids = list(db.session.scalars(mine))
        payments = [
            {
                "provider_id": name,
                "reference": f"con_{name}",
                "rhythm": "monthly",
                "charged_minor": 400,
                "currency": "EUR",
                "fee_minor": 31,
                "fee_currency": "EUR",
                "paid_at": paid_at,
                "receipt_number": f"{start}-{i:06d}",
                "booked_at": paid_at,
            }
            for i, name in enumerate(names)
        ]
        connection.execute(insert(Payment.__table__), payments)
        grants = [
            {
                "person_id": person_id,
                "cause": "paid",
                "cause_ref": payment_of_name(name),
                "paid_at": paid_at,
                "starts_at": paid_at,
                "ends_at": ends_at,
            }
            for person_id, name in zip(person_ids, names, strict=True)
        ]
        connection.execute(insert(CoverageGrant.__table__), grants)
        spans = select(CoverageGrant.person_id, CoverageGrant.id, CoverageGrant.starts_at, CoverageGrant.ends_at).where(
            CoverageGrant.person_id.in_(person_ids)
        )
        connection.execute(
            insert(CoverageSpan.__table__).from_select(["person_id", "grant_id", "starts_at", "ends_at"], spans)
        )
    return person_ids


def make_topics(n: int = 4, hours: int | None = 10) -> list[int]:
    """Ids of `n` topics of the newsroom, on the shortlist."""
    made = []
    with transaction("test.make_topics"):
        for i in range(n):
            title = f"{TITLES[i % len(TITLES)]} ({next(_numbers)})"
            topic = topics.propose(None, title, "Readers asked about it again and again.", [], "en", NOW)
            topics.shortlist(topic.id, None, is_told=False)
            db.session.get_one(Topic, topic.id).hours = hours
            made.append(topic.id)
    return made


def make_draft(n_options: int = 4, **changes) -> Poll:
    """A draft: spav, two seats, open for a week from `NOW`; every field can be changed."""
    fields = {
        "title": "What shall we look into this winter?",
        "intro": "Tick every topic that you would like to read about.",
        "locale": "en",
        "rule": "spav",
        "n_seats": 2,
        "opens_at": OPENS,
        "closes_at": CLOSES,
        "topic_ids": changes.pop("topic_ids", None) or tuple(make_topics(n_options)),
    }
    return services.draft(services.PollFields(**(fields | changes)))


def make_poll(n_options: int = 4, now: datetime = NOW, **changes) -> Poll:
    """An open poll. Whoever is to be on its roll must be a patron before this is called."""
    return services.open_poll(make_draft(n_options, **changes).id, None, now)


def cast_ballot(poll: Poll, person: Person | int, positions: list[int], at: datetime = NOW) -> services.Saved:
    """A ballot of a person (or of the one with this id)."""
    person_id = person if isinstance(person, int) else person.id
    return services.cast(poll.id, person_id, positions, at)


def close_poll(poll: Poll, at: datetime = CLOSES) -> Poll:
    """Let the clock close it, as the worker does, and wipe what is left."""
    jobs.close_due(at)
    jobs.wipe(at)
    return db.session.get_one(Poll, poll.id, populate_existing=True)
