"""Searching people, the page of one person, the dashboard and the export of all, at growing numbers of people, against
a bare Flask app that looks one row up by an index and renders a page of the same size.

As a program: `python -m tests.bench.people N DATABASE_URL` measures one size in a process of its own and prints a line
of JSON. `python -m tests.bench.people [--sizes 10000 100000 1000000] [--database sqlite postgresql]` prints the table.
Requests are asked one after another inside the process: what is measured is the program, not the server before it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import select

from membership.accounts.models import Person, Session
from membership.accounts.rules import Role
from membership.accounts.services import appoint
from membership.app import create_app
from membership.config import Settings
from membership.dashboard.services import noticing, rating, summing
from membership.db import db, transaction
from membership.front.rules.filters import Filter
from membership.front.services import lists
from membership.kernel import clock, ids
from tests.bench import programs
from tests.bench.crowd import Crowd
from tests.bench.limits import TEMPLATE, _parts
from tests.bench.money import fresh_database
from tests.factories.people import open_desk

N_REQUESTS = 60
SIZES = (10_000, 100_000)


def _measure(n: int, database_url: str, folder: Path) -> dict[str, Any]:
    environment = programs.settings_for(database_url, 80, folder) | {"PUBLIC_URL": "http://localhost"}
    app = create_app(Settings.from_env(environment))
    with app.app_context():
        db.create_all()
        Crowd(n, clock.now()).write()
        rates = (("UAH", "48"), ("USD", "1.1"), ("GBP", "0.86"))
        for currency, rate in rates:
            rating.set_by_hand("EUR", currency, Decimal(rate), clock.now().date() - timedelta(days=2000))
        rolled = _seconds(lambda: _roll(clock.now()))
        client = app.test_client()
        _sign_in(client, appoint("desk@example.org", Role.OWNER, "Desk", "en", clock.now()))
        found = {"n": n} | {name: _pages(client, path) for name, path in _paths(n).items()}
        return found | {"export": _export(), "roll": rolled}


def _roll(now: datetime) -> None:
    """Every day of the dashboard, once. (Nobody has to be caught up with: the crowd brings when it is a patron.)"""
    noticing.begin_anew(now)
    while summing.sum_some(now):
        pass


def _paths(n: int) -> dict[str, Callable[[int], str]]:
    def some(i: int) -> int:
        return 1 + i * 7919 % n

    addresses = dict(
        db.session.execute(
            select(Person.id, Person.email).where(Person.id.in_({*map(some, range(N_REQUESTS + 5))}))
        ).all()
    )
    return {
        "search, address": lambda i: f"/staff/people?q={addresses[some(i)][:14]}",
        "search, reference": lambda i: f"/staff/people?q=con_{some(i):026d}",
        "search, id of Stripe": lambda i: f"/staff/people?q=sub_{some(i):09d}",
        "overview": lambda _i: "/staff/dashboard",
        "overview, a year": lambda _i: "/staff/dashboard?range=year",
        "retention": lambda _i: "/staff/dashboard/cohorts",
        "next 30 days": lambda _i: "/staff/dashboard/expected",
        "person page": lambda i: f"/staff/people/per_{some(i):026d}",
    }


def _sign_in(client: FlaskClient, person: Person) -> None:
    secret, at = ids.new_secret(), clock.real_now()
    with transaction("bench.sign_in"):
        db.session.add(
            Session(
                id_hash=ids.digest(secret), person_id=person.id, data={}, created_at=at, last_seen_at=at,
                expires_at=at.replace(year=at.year + 1),
            )
        )  # fmt: skip
    client.set_cookie("session", secret, domain="localhost")
    open_desk(client, person.email)


def _pages(client: FlaskClient, path: Callable[[int], str]) -> dict[str, float]:
    page = client.get(path(0))
    if page.status_code != 200:
        raise RuntimeError(f"{path(0)} was answered with {page.status_code}.")
    bare = _bare(page.get_data(as_text=True))
    ours, limit = [], []
    for i in range(N_REQUESTS + 5):
        ours.append(_seconds(lambda i=i: client.get(path(i))))
        limit.append(_seconds(lambda i=i: bare.get(f"/page/{1 + i}")))
    ours, limit = ours[5:], limit[5:]
    tenth = statistics.quantiles(ours, n=20)[-1]
    return {"p50": statistics.median(ours), "p95": tenth, "limit": statistics.median(limit)}


def _bare(html: str) -> Any:
    """A Flask app of one page: one row by its index, and a template of the same size."""
    app, parts, engine = Flask("bare"), _parts(html), db.engine

    @app.get("/page/<int:person_id>")
    def page(person_id: int) -> str:
        with engine.connect() as connection:
            row = connection.execute(select(Person.email).where(Person.id == person_id)).scalar_one()
        return render_template_string(TEMPLATE, parts=parts, value=row)

    return app.test_client()


def _seconds(ask: Callable[[], object]) -> float:
    db.session.rollback()
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _export() -> dict[str, float]:
    began, n = time.perf_counter(), -1
    for part in lists.begin_export(Filter(), actor="staff:bench", at=clock.now()).text:
        n += part.count("\r\n")
    seconds = time.perf_counter() - began
    db.session.rollback()
    status = Path("/proc/self/status").read_text()
    most = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024
    began = time.perf_counter()
    for rows in db.session.execute(select(Person.__table__), execution_options={"yield_per": 2000}).partitions():
        n += 0 * len(rows)
    return {"per_second": n / seconds, "limit": n / (time.perf_counter() - began), "megabytes": most}


def _in_own_process(n: int, database_url: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.people", str(n), database_url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=7200)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(kind: str, measured: list[dict[str, Any]]) -> list[str]:
    """The sentences of one database, for all sizes."""
    lines, first = [], measured[0]
    for found in measured:
        for name, row in found.items():
            if name in {"n", "export", "roll"}:
                continue
            growth = row["p95"] / first[name]["p95"]
            speed = f"p50 {row['p50'] * 1000:.1f} ms, p95 {row['p95'] * 1000:.1f} ms"
            ratio = f"ratio {row['limit'] / row['p50']:.2f} to a bare page with one indexed query"
            lines.append(f"{name} · {found['n']:,} people · {kind}: {speed}, {ratio}; p95 grew {growth:.2f}×.")
        lines.append(f"all days summed anew · {found['n']:,} people · {kind}: {found['roll']:.1f} s.")
        export = found["export"]
        lines.append(
            f"CSV export · {found['n']:,} people · {kind}: {export['per_second']:,.0f} rows a second, ratio "
            f"{export['per_second'] / export['limit']:.2f} to a bare SELECT; {export['megabytes']:.0f} MB at most."
        )
    return lines


def main() -> None:
    """Read the arguments, measure each size in a process of its own, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="membership-bench-") as scratch:
        folder = Path(scratch)
        if "sqlite" in asked.database:
            sizes = [n for n in asked.sizes if n <= max(SIZES)]
            print("\n".join(table("SQLite", [_in_own_process(n, fresh_database("sqlite", folder)) for n in sizes])))
        if "postgresql" in asked.database:
            with programs.postgres(folder) as uri:
                url = uri.replace("postgresql://", "postgresql+psycopg://")
                print(
                    "\n".join(
                        table("PostgreSQL", [_in_own_process(n, fresh_database(url, folder)) for n in asked.sizes])
                    )
                )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1].isdecimal():
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(_measure(int(sys.argv[1]), sys.argv[2], Path(place))))
    else:
        main()
