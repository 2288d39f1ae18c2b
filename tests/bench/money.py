"""Working off renewals, proving the books and reconciling, for many patrons: each in a process and a database of its
own, with a stand-in for the provider (`patronage`), so that what is measured is our own work.

As a program: `python -m tests.bench.money drain|books|reconcile N DATABASE_URL`; it prints one line of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from flask import Flask
from sqlalchemy import create_engine, func, insert, select, text

from membership.app import create_app
from membership.billing import books, jobs, reconcile
from membership.billing.models import InboxEvent, Payment
from membership.config import Settings
from membership.db import db, transaction
from membership.kernel import clock
from tests.bench import programs
from tests.bench.limits import ROWS
from tests.bench.patronage import AT_A_TIME, Patronage, StandIn

FEW, MANY = 10_000, 100_000
N_RENEWALS, FIRST_RENEWALS = 10_000, 1_000
N_COMMITS = 2_000


@dataclass(frozen=True)
class Drained:
    """Seconds for the renewals, rows written for each, one-row commits a second beside it, megabytes after the first
    thousand and after the last.
    """

    kind: str
    seconds: float
    rows_each: float
    commits_each_second: float
    megabytes_first: float
    megabytes_last: float

    @property
    def per_second(self) -> float:
        return N_RENEWALS / self.seconds

    @property
    def limit(self) -> float:
        """As many a second as one-row commits would allow, were each row a commit of its own."""
        return self.commits_each_second / self.rows_each

    @property
    def ratio(self) -> float:
        return self.per_second / self.limit

    @property
    def sentence(self) -> str:
        speed = f"{self.per_second:,.0f} a second, {self.rows_each:.0f} rows each"
        beside = f"beside {self.commits_each_second:,.0f} one-row commits a second (ratio {self.ratio:.2f})"
        memory = f"{self.megabytes_first:.0f} MB after 1,000 and {self.megabytes_last:.0f} MB after 10,000"
        return f"Renewals worked off · {self.kind}: {speed}, {beside}; memory {memory}."


@dataclass(frozen=True)
class GoneThrough:
    """How long one inspection of `n` members took, the most memory, and how many pages the provider was asked for."""

    what: str
    kind: str
    n: int
    seconds: float
    megabytes: float
    n_pages: int

    @property
    def per_second(self) -> float:
        return self.n / self.seconds

    @property
    def sentence(self) -> str:
        pages = f" and {self.n_pages:,} pages of the provider's lists" if self.n_pages else ""
        return (
            f"{self.what} of {self.n:,} members · {self.kind}: {self.seconds:.1f} s, {self.megabytes:.0f} MB at most"
            f"{pages}; the provider is a stand-in without network."
        )


def drained(kind: str, database_url: str) -> Drained:
    """10,000 renewals, worked off by one worker."""
    return Drained(kind, **_measure("drain", N_RENEWALS, database_url))


def gone_through(what: str, kind: str, n: int, database_url: str) -> GoneThrough:
    """`what` is "check-books" or "reconcile"."""
    return GoneThrough(what, kind, n, **_measure({"check-books": "books"}.get(what, what), n, database_url))


def _measure(what: str, n: int, database_url: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.money", what, str(n), database_url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=1800)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:5])} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def fresh_database(kind_url: str, folder: Path) -> str:
    """The address of an empty database of the same kind."""
    name = f"money_{uuid4().hex[:12]}"
    if kind_url.startswith("sqlite"):
        return f"sqlite:///{folder / name}.db"
    admin = create_engine(kind_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = admin.url.set(database=name).render_as_string(hide_password=False)
    admin.dispose()
    return url


# In the process of its own ---------------------------------------------------------------------------------


def _prepare(n: int, database_url: str) -> tuple[Flask, StandIn]:
    app = create_app(Settings.from_env(programs.settings_for(database_url, 80, Path(sys.argv[-1]))))
    patronage = Patronage(n, clock.now())
    stand_in = StandIn(patronage)
    app.extensions["membership.provider"] = stand_in
    with app.app_context():
        db.create_all()
        patronage.write()
    return app, stand_in


def _drain(n: int, database_url: str) -> dict[str, float]:
    app, _ = _prepare(n, database_url)
    with app.app_context():
        _take_in_renewals(n)
        before = _n_rows()
        commits = [_commits_each_second()]
        began, first = time.perf_counter(), 0.0
        for _ in _drains():
            done = _n_done()
            if not first and done >= FIRST_RENEWALS:
                first = _megabytes("VmRSS")
        seconds, last = time.perf_counter() - began, _megabytes("VmRSS")
        rows_each = (_n_rows() - before) / n
        commits.append(_commits_each_second())
        n_paid = db.session.scalar(select(func.count()).select_from(Payment))
        if n_paid != 2 * n or books.prove(books.WHOLE).findings:
            raise RuntimeError(f"{n_paid} payments of {2 * n}, or the books do not hold.")
    return {
        "seconds": seconds,
        "rows_each": rows_each,
        "commits_each_second": sum(commits) / len(commits),
        "megabytes_first": first,
        "megabytes_last": last,
    }


def _take_in_renewals(n: int) -> None:
    at = clock.real_now()
    for first in range(1, n + 1, AT_A_TIME):
        rows = [
            {
                "id": f"evt_{i}",
                "type": "invoice.paid",
                "object_kind": "invoice",
                "object_id": f"in_{i}b",
                "created_at": at,
                "signed_at": at,
                "received_at": at,
                "body": b"{}",
                "state": "received",
                "next_try_at": at,
            }
            for i in range(first, min(first + AT_A_TIME, n + 1))
        ]
        with transaction("bench.inbox"):
            db.session.connection().execute(insert(InboxEvent.__table__), rows)


def _drains() -> Iterator[None]:
    """One short drain after another, until nothing is left; as one worker would."""
    jobs.DRAIN_SECONDS = 1.0
    while _n_done() < N_RENEWALS:
        jobs.drain(clock.now())
        wrong = db.session.scalar(select(InboxEvent.traceback).where(InboxEvent.n_faults > 0).limit(1))
        if wrong:
            raise RuntimeError(f"A renewal could not be booked:\n{wrong}")
        yield


def _n_done() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(InboxEvent.state == "done")) or 0


def _n_rows() -> int:
    """How many rows all tables have together."""
    db.session.rollback()
    tables = [table for table in db.metadata.sorted_tables if table.name != ROWS.name]
    return sum(db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def _commits_each_second() -> float:
    ROWS.metadata.create_all(db.engine)
    began = time.perf_counter()
    for _ in range(N_COMMITS):
        with db.engine.connect() as connection:
            connection.execute(insert(ROWS).values(id=uuid4().hex, body=b"1"))
            connection.commit()
    return N_COMMITS / (time.perf_counter() - began)


def _books(n: int, database_url: str) -> dict[str, float]:
    app, _ = _prepare(n, database_url)
    with app.app_context():
        began = time.perf_counter()
        found = books.examine(clock.now()).findings
        seconds = time.perf_counter() - began
        if found:
            raise RuntimeError(f"The books do not hold: {found[:3]}")
    return {"seconds": seconds, "megabytes": _megabytes("VmHWM"), "n_pages": 0}


def _reconcile(n: int, database_url: str) -> dict[str, float]:
    app, stand_in = _prepare(n, database_url)
    with app.app_context():
        now = clock.now()
        began = time.perf_counter()
        done = reconcile.go_on(reconcile.begin(now, now - reconcile.REACH))
        seconds = time.perf_counter() - began
        if done.n_findings or done.counts["invoices"] != {"in order": n} or done.repairs:
            raise RuntimeError(f"Not all is in order: {done.counts} {done.findings[:3]}")
    return {"seconds": seconds, "megabytes": _megabytes("VmHWM"), "n_pages": stand_in.n_pages}


def _megabytes(what: str) -> float:
    """Memory of this process: now (VmRSS) or at most (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{what}:")) / 1024


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        sys.argv.append(scratch)
        measure = {"drain": _drain, "books": _books, "reconcile": _reconcile}[sys.argv[1]]
        print(json.dumps(measure(int(sys.argv[2]), sys.argv[3])))
