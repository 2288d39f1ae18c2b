"""`make bench`: our hot paths against the limits of this machine, measured in turns, as one table.

A figure counts only as a ratio to the limit beside it: both were measured in the same minutes, on the same
server program, number of processes and database. Load goes to loopback only and ends by itself.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text

from membership.polls.counting import RULES
from tests.bench import ballots, counting, events, load, money, programs, renewals
from tests.bench.load import Posts, Visitor

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Row:
    """One line of the table; `goal` says which ratio is good."""

    name: str
    ours: float
    limit_name: str
    limit: float
    goal: float

    @property
    def ratio(self) -> float:
        return self.ours / self.limit


@dataclass
class Bench:
    """How long and how often, and where files go."""

    seconds: float
    rounds: int
    folder: Path
    console: Console

    def compare(self, name: str, ours: Callable[[], float], limit_name: str, limit: Callable[[], float], goal: float):
        """Measure both in turns, after one turn each to warm up; the medians count."""
        ours(), limit()
        pairs = []
        for number in range(self.rounds):
            pairs.append((ours(), limit()))
            self.console.print(
                f"  {name} {number + 1}/{self.rounds}: {pairs[-1][0]:,.0f} and {pairs[-1][1]:,.0f} a second"
            )
        return Row(
            name, statistics.median(p[0] for p in pairs), limit_name, statistics.median(p[1] for p in pairs), goal
        )

    def poster(self, site: str, posts: Posts, expected: float = 3000) -> Callable[[], float]:
        """Measures `posts`; guesses from the last figure (`expected` a second at first) how many bodies it needs."""

        def measure() -> float:
            nonlocal expected
            expected = load.post(site, posts, self.seconds, self.folder, expected)
            return expected

        return measure


def webhook_rows(bench: Bench, site: str, bare: str, kind: str) -> Iterator[Row]:
    """Intake of first deliveries and of duplicates, against one-row commits of the same bytes."""
    fresh = load.webhooks(programs.WEBHOOK_SECRET, load.unlike)
    again = load.webhooks(programs.WEBHOOK_SECRET, lambda number: f"again{number % 50}")
    webhook = "/stripe/webhook"
    commit = bench.poster(bare, Posts("/commit", "application/json", fresh))
    first = bench.poster(site, Posts(webhook, "application/json", fresh))
    second = bench.poster(site, Posts(webhook, "application/json", again))
    yield bench.compare(f"webhook, first delivery · {kind}", first, "one-row commit", commit, 0.5)
    yield bench.compare(f"webhook, duplicate · {kind}", second, "webhook, first delivery", first, 1.0)


def page_rows(bench: Bench, site: str, bare: str, kind: str) -> Iterator[Row]:
    """The page that every reader sees first, against a bare template of its size."""
    yield bench.compare(
        f"GET /contribute · {kind}",
        lambda: load.get(f"{site}/contribute", bench.seconds),
        "bare Flask, same size",
        lambda: load.get(f"{bare}/page", bench.seconds),
        0.5,
    )


def signin_rows(bench: Bench, site: str, bare: str, kind: str) -> Iterator[Row]:
    """A mailed link asked for, always by new addresses, against two one-row commits."""
    visitor = Visitor(site)
    token = visitor.form_token("/signin")

    def bodies(n: int) -> list[str]:
        return [f"\temail=reader-{uuid4().hex}%40example.org&csrf_token={token}" for _ in range(n)]

    asked = bench.poster(site, Posts("/signin", FORM, bodies, cookie=visitor.cookie))
    two = bench.poster(bare, Posts("/commit-two", FORM, bodies))
    visitor.close()
    yield bench.compare(f"sign-in mail requested · {kind}", asked, "two one-row commits", two, 0.4)


def event_rows(bench: Bench, site: str, bare: str, kind: str, database_url: str) -> Iterator[Row]:
    """Batches of views told by articles, against a bare app that reads the same bytes and keeps nothing.

    The most of ours is what every request passes here: a line of the log, the brake, the door, the headers.
    """

    def bodies(n: int) -> list[str]:
        return events.batches(programs.SITE, n)

    events.prepare(database_url, bench.folder)
    told = bench.poster(site, Posts("/embed/events", "text/plain", bodies, answer=204))
    read = bench.poster(bare, Posts("/read", "text/plain", bodies, answer=204), expected=20_000)
    yield bench.compare(f"views told by articles · {kind}", told, "bare Flask, same body", read, 0.25)


def renewal_row(bench: Bench) -> tuple[Row, list[str]]:
    """The sandbox's own speed: a month of 10,000 subscriptions against a month of 1,000."""
    few, many = renewals.month_of(1_000, bench.folder), renewals.month_of(10_000, bench.folder)
    row = Row("sandbox, 10,000 renewed", many.per_second, "1,000 renewed", few.per_second, 0.9)
    return row, [month.sentence for month in (few, many)]


def money_rows(bench: Bench, kind: str, database_url: str) -> Iterator[tuple[Row, list[str]]]:
    """Renewals worked off against one-row commits, and both proofs of the books: 100,000 members against 10,000."""

    def fresh() -> str:
        return money.fresh_database(database_url, bench.folder)

    drained = money.drained(kind, fresh())
    limit_name = f"commits ÷ {drained.rows_each:.0f} rows"
    yield Row(f"renewals worked off · {kind}", drained.per_second, limit_name, drained.limit, 0.3), [drained.sentence]
    for what in ("check-books", "reconcile"):
        few, many = (money.gone_through(what, kind, n, fresh()) for n in (money.FEW, money.MANY))
        row = Row(f"{what}, {money.MANY:,} · {kind}", many.per_second, f"{money.FEW:,} members", few.per_second, 0.8)
        yield row, [few.sentence, many.sentence]


def count_rows() -> Iterator[tuple[Row, str]]:
    """The count of a million ballots by each rule: as many a second as of a hundred thousand, and what it needed."""
    for rule in RULES:
        few, many = counting.measured(rule, 100_000), counting.measured(rule, 1_000_000)
        row = Row(f"count, 1,000,000, {rule}", many.per_second, "100,000 ballots", few.per_second, 0.5)
        yield row, counting.sentence(few, many)


def ballot_rows(bench: Bench, site: str, bare: str, kind: str, database_url: str) -> Iterator[Row]:
    """Ballots of many members, most of them their first, against one-row commits."""
    poll, bodies = ballots.prepare(database_url, bench.folder)
    saved = bench.poster(site, Posts(f"/polls/{poll}/ballot", FORM, bodies, answer=303))
    commit = bench.poster(bare, Posts("/commit", FORM, bodies))
    yield bench.compare(f"ballot cast, by web · {kind}", saved, "one-row commit, by web", commit, 0.5)
    cast, bare_commit = ballots.one_after_another(database_url, bench.folder, poll, bench.seconds / 2)
    yield Row(f"ballot cast, without web · {kind}", cast, "one-row commit, without", bare_commit, 0.5)


def result_row(bench: Bench, site: str, kind: str, database_url: str) -> Row:
    """The page of a closed poll, made from the count that the close stored, against a bare template of its size."""
    poll = ballots.closed_poll(database_url, bench.folder)
    page = bench.folder / "result.html"
    visitor = Visitor(site)
    page.write_text(visitor.ask("GET", f"/polls/{poll}")[1])
    visitor.close()
    with programs.limits(database_url, page, bench.folder) as bare:
        return bench.compare(
            f"result page from the stored count · {kind}",
            lambda: load.get(f"{site}/polls/{poll}", bench.seconds),
            "bare Flask, same size",
            lambda: load.get(f"{bare}/page", bench.seconds),
            0.5,
        )


def signin_timing(site: str, database_url: str, n: int) -> tuple[float, float]:
    """Median seconds of asking for a link with a known and with an unknown address, asked in turns."""
    known = f"known-{uuid4().hex}@example.org"
    engine = create_engine(database_url)
    with engine.begin() as connection:
        columns = "(public_id, email, locale, created_at)"
        connection.execute(
            text(f"INSERT INTO people {columns} VALUES (:id, :email, 'en', CURRENT_TIMESTAMP)"),  # noqa: S608 - constants
            {"id": f"per_{uuid4().hex[:26]}", "email": known},
        )
    engine.dispose()
    visitor = Visitor(site)
    token = visitor.form_token("/signin")

    def ask(email: str) -> float:
        began = time.perf_counter()
        status, _ = visitor.ask("POST", "/signin", {"email": email, "csrf_token": token})
        if status != 303:
            raise RuntimeError(f"Asking for a link was answered with {status}.")
        return time.perf_counter() - began

    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(n):
        for is_known in (True, False) if number % 2 else (False, True):  # neither always comes second
            times[is_known].append(ask(known if is_known else f"unknown-{uuid4().hex}@example.org"))
    visitor.close()
    return statistics.median(times[True]), statistics.median(times[False])


@contextmanager
def databases(folder: Path, kinds: list[str]) -> Iterator[dict[str, str]]:
    """An empty database of each kind asked for, by the name that the table shows."""
    found = {}
    if "sqlite" in kinds:
        found["SQLite FULL"] = f"sqlite:///{folder / 'bench.db'}"
    if "postgresql" not in kinds:
        yield found
        return
    with programs.postgres(folder) as uri:
        yield found | {"PostgreSQL": uri.replace("postgresql://", "postgresql+psycopg://")}


def measure(bench: Bench, kinds: list[str]) -> tuple[list[Row], list[str]]:
    """All rows, and the sentences below the table."""
    rows, notes = [], []
    page = bench.folder / "contribute.html"
    with databases(bench.folder, kinds) as found:
        for kind, url in found.items():
            with programs.our_site(url, bench.folder) as site:
                visitor = Visitor(site)
                page.write_text(visitor.ask("GET", "/contribute")[1])
                visitor.close()
                with programs.limits(url, page, bench.folder) as bare:
                    for measured in (webhook_rows, page_rows, signin_rows):
                        rows += measured(bench, site, bare, kind)
                    rows += event_rows(bench, site, bare, kind, url)
                    rows += ballot_rows(bench, site, bare, kind, url)
                rows.append(result_row(bench, site, kind, url))
                known, unknown = signin_timing(site, url, 200)
            for row, sentences in money_rows(bench, kind, url):
                rows.append(row)
                notes += sentences
            notes.append(
                f"Sign-in asked for, one after another · {kind}: known address {known * 1000:.2f} ms, "
                f"unknown {unknown * 1000:.2f} ms (medians of 200; difference {(known - unknown) * 1000:+.2f} ms)."
            )
    row, sentences = renewal_row(bench)
    rows.append(row)
    notes += sentences
    for row, sentence in count_rows():
        rows.append(row)
        notes.append(sentence)
    start_seconds, megabytes = programs.footprint(bench.folder)
    notes.append(
        f"One web process and one worker: {start_seconds:.1f} s until the first answer (goal: 2 s), "
        f"{megabytes:.0f} MB of memory at rest (goal: 250 MB)."
    )
    notes.append(f"/contribute is {page.stat().st_size / 1024:.1f} KB of HTML.")
    return rows, notes


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each row; the median counts")
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("The benches need wrk. On Debian: apt-get install wrk")
    console = Console(soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="membership-bench-"))
    try:
        rows, notes = measure(Bench(max(1, round(asked.seconds)), asked.rounds, folder, console), asked.database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = Table(title=f"{programs.n_workers()} web processes, {os.cpu_count()} cores, median of {asked.rounds}")
    for heading in ("what", "ours /s", "limit", "limit /s", "ratio", "goal"):
        table.add_column(heading, justify="left" if heading in {"what", "limit"} else "right", no_wrap=True)
    for row in rows:
        verdict = "reached" if row.ratio >= row.goal else "missed"
        figures = (f"{row.ours:,.0f}", row.limit_name, f"{row.limit:,.0f}", f"{row.ratio:.2f}")
        table.add_row(row.name, *figures, f"≥ {row.goal} {verdict}")
    Console(width=140).print(table)
    for note in notes:
        console.print(note)


if __name__ == "__main__":
    main()
