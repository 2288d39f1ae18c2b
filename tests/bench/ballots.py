"""A poll with many members who are signed in, for the row "ballot cast"."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import insert

from membership.accounts.models import Session
from membership.app import create_app
from membership.config import Settings
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.polls import queries, services
from tests.bench import programs
from tests.bench.limits import ROWS
from tests.factories.polls import make_draft, make_patrons

N_MEMBERS = 20_000
FORM_TOKEN = "0" * 40
SEED = 7


def prepare(database_url: str, folder: Path) -> tuple[str, Callable[[int], list[str]]]:
    """An open poll with 20,000 voters: its public id, and what makes n bodies, each with the cookie of one of them.

    They come in random order, so that the second ballot of a member is never near the first.
    """
    known = Settings.from_env(programs.settings_for(database_url, 80, folder))
    app = create_app(known)
    with app.app_context():
        now = clock.now()
        people = make_patrons(N_MEMBERS, "bench", now)
        cookies = _sign_in(people)
        fields = {"opens_at": now - timedelta(hours=1), "closes_at": now + timedelta(days=7)}
        poll = _open(now, **fields)
        db.session.remove()
        db.engine.dispose()
    token = URLSafeTimedSerializer(known.secret_key.get_secret_value(), salt="wtf-csrf-token").dumps(FORM_TOKEN)
    chance = random.Random(SEED)  # noqa: S311 - load, no secret
    chance.shuffle(cookies)
    numbers = count()

    def bodies(n: int) -> list[str]:
        return [f"cookie:{next(turns)}\tcsrf_token={token}&{_ticks(next(numbers))}" for _ in range(n)]

    turns = _forever(cookies)
    return poll, bodies


def closed_poll(database_url: str, folder: Path) -> str:
    """The public id of a poll of the hundred first members that was counted and closed."""
    app = create_app(Settings.from_env(programs.settings_for(database_url, 80, folder)))
    with app.app_context():
        now = clock.now()
        poll = _open(now - timedelta(hours=2), opens_at=now - timedelta(hours=2), closes_at=now - timedelta(minutes=1))
        poll_id = queries.get_by_public_id(poll).id
        for number, voter in enumerate(queries.roll_after({"poll_id": poll_id}, 0, 100)):
            positions = [position for position in range(8) if (number + 1) >> position & 1]
            services.cast(poll_id, voter.person_id, positions, now - timedelta(hours=1))
        services.close(poll_id, now)
        db.session.remove()
        db.engine.dispose()
    return poll


def one_after_another(database_url: str, folder: Path, poll: str, seconds: float) -> tuple[float, float]:
    """Ballots a second by `services.cast` alone, without a web server, and one-row commits a second: one at a time."""
    app = create_app(Settings.from_env(programs.settings_for(database_url, 80, folder)))
    with app.app_context():
        poll_id = queries.get_by_public_id(poll).id
        voters = [person.person_id for person in queries.roll_after({"poll_id": poll_id}, 0, 2000)]
        numbers = count()

        def cast() -> None:
            services.cast(poll_id, voters[next(numbers) % len(voters)], [1, 2], clock.now())

        def commit() -> None:
            with db.engine.connect() as connection:
                connection.execute(insert(ROWS).values(id=f"alone-{uuid4().hex}", body=b"1"))
                connection.commit()

        rates = [_rate(step, seconds) for _ in range(3) for step in (cast, commit)]
        db.session.remove()
        db.engine.dispose()
    return statistics.median(rates[0::2]), statistics.median(rates[1::2])


def _rate(step: Callable[[], None], seconds: float) -> float:
    began = time.perf_counter()
    n = 0
    while time.perf_counter() - began < seconds:
        step()
        n += 1
    return n / (time.perf_counter() - began)


def _open(now, **fields) -> str:
    return services.open_poll(make_draft(8, **fields).id, None, now).public_id


def _forever(cookies: list[str]) -> Iterator[str]:
    while True:
        yield from cookies


def _ticks(number: int) -> str:
    return "&".join(f"choice={position}" for position in range(8) if number >> position & 1) or "blank=yes"


def _sign_in(people: list[int]) -> list[str]:
    """Sessions as `accounts` writes them, all with one form token; the cookies."""
    at = clock.real_now()
    secrets = [ids.new_secret() for _ in people]
    rows = [
        {
            "id_hash": ids.digest(secret),
            "person_id": person,
            "data": {"csrf_token": FORM_TOKEN},
            "created_at": at,
            "last_seen_at": at,
            "expires_at": at + timedelta(days=30),
        }
        for secret, person in zip(secrets, people, strict=True)
    ]
    with transaction("bench.sign_in"):
        db.session.connection().execute(insert(Session.__table__), rows)
    return [f"session={secret}" for secret in secrets]
