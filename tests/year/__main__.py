"""A year of life: synthetic members join, give, change, lose cards, leave and come back; then every number of the
dashboard is reckoned anew from the rows and from Stripe's books.

    .venv/bin/python -m tests.year --members 500
    .venv/bin/python -m tests.year --members 5000 --seed 7 --database postgresql

The members come through our own services, the notices through our own web, the payments through the real SDK and the
sandbox; only the clock is moved. Whatever differs is printed, and the exit code is 1 then.
"""

import argparse
import random
import sys
import time
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from membership.billing import books
from membership.kernel import clock
from tests.faults.lives.hours import BEGINNING
from tests.year.comparing import Compared, compare
from tests.year.living import N_SETTLED, Lived, live
from tests.year.members import N_DAYS, draw
from tests.year.place import Place, day_at, opened_alone

MOST_SHOWN = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.year", description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    wanted = parser.parse_args()
    console = Console(highlight=False)
    console.print(f"{wanted.members:,} members, {wanted.database}, --seed {wanted.seed}")
    with opened_alone(wanted.database) as place:
        began = time.monotonic()
        lived = _live(console, place, wanted.members, wanted.seed)
        took = time.monotonic() - began
        _say(console, place, lived, took)
        began = time.monotonic()
        compared = compare(place, lived)
        compared.differences += [f"check-books: {finding.message}" for finding in place.ask_us(_check_books)]
        return _judge(console, compared, time.monotonic() - began)


def _check_books() -> list:
    return list(books.check(clock.now()))


def _live(console: Console, place: Place, n_members: int, seed: int) -> Lived:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[n]:,} notices"),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(str(day_at(BEGINNING)), total=N_DAYS + N_SETTLED + 1, n=0)

        def tell(day, _lived) -> None:
            progress.update(task, advance=1, description=str(day + timedelta(days=1)), n=place.n_notices)

        return live(place, draw(n_members, seed), tell)


def _say(console: Console, place: Place, lived: Lived, took: float) -> None:
    count = {
        table: place.rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - our own names
        for table in ("people", "contributions", "payments", "payment_reversals", "payment_failures", "movements")
    }
    table = Table("what happened", "how often", box=None)
    for name, n in (*lived.deeds.most_common(), *count.items(), ("notices", lived.n_notices)):
        table.add_row(name.replace("_", " "), f"{n:,}")
    for name, n in lived.refused.most_common():
        table.add_row(f"refused: {name}", f"{n:,}")
    console.print(table)
    rates = f"{count['payments'] / took:.1f} payments and {lived.n_notices / took:.0f} notices a second"
    calls = f"{place.wire.n_calls:,} requests to Stripe"
    console.print(f"A year in {took:.1f} s of wall time: {rates}; {calls}.")


def _judge(console: Console, compared: Compared, took: float) -> int:
    for key in compared.unknown:
        console.print(f"Not reckoned here (no line in tests/year/reckoned): {key}")
    for difference in compared.differences[:MOST_SHOWN]:
        console.print(f"[red]{difference}[/red]")
    console.print(f"{compared.n:,} numbers compared in {took:.1f} s; {len(compared.differences)} differ.")
    return 1 if compared.differences else 0


if __name__ == "__main__":
    sys.exit(main())
