"""kill -9 of web and of worker at every labelled point of the way from the ask to the account (faults.md F1, F2).

A clean run records the points that each process passes; none is named here, so a new one is covered from the day
it is written. Then, point by point, another reader goes the same way, the process dies there and is started again,
and the reader does what people do: looks again, presses again, asks for another mail. In the end our books are the
provider's books, and nobody was charged, covered or thanked twice.
"""

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import pytest
import requests

from membership.db import db
from tests.faults.house import environment_of, house, mails, nursery, sandbox, settings, web_url
from tests.faults.reader import Reader
from tests.faults.reckoning import differences

__all__ = ["house", "mails", "nursery", "sandbox", "settings", "web_url"]

LEAST_POINTS = 30
# Later passings of one label are other moments: another mail, another thing at the provider. On PostgreSQL the first
# of each must do, for the time it takes.
MOST_PASSINGS = {"sqlite": 3, "postgresql": 1}
# On which way a program passes the most: the web books itself where the thanks page is quicker than the notices.
MAIN_WAY = {"web": "thanks first", "worker": "notices first"}


@dataclass(frozen=True)
class Point:
    """The `n`-th passing of `label` by `program`: on one of the ways, or while it starts."""

    program: str
    label: str
    n: int
    way: str

    def __str__(self) -> str:
        return f"{self.program}, {self.label}#{self.n} ({self.way})"


def go(reader: Reader, way: str) -> None:
    """From the ask to the account and out again, with a changed mind on the way to the payment page."""
    house = reader.house
    if way == "thanks first":
        house.sandbox.deliverer.hold()
    try:
        first_page = reader.choose(cups=2, rhythm="monthly")
        page = reader.choose(cups=4, rhythm="monthly")
        assert page != first_page
        thanks = reader.pay(page)
        if way == "thanks first":
            reader.wait_for_thanks(thanks)
    finally:
        house.sandbox.deliverer.go_on()
    house.wait_for("all notices to be worked off", house.notices_are_worked_off)
    reader.wait_for_thanks(thanks)
    for kind in ("contributions/welcome", "contributions/receipt"):
        house.wait_for(f"the mail {kind}", lambda kind=kind: reader.mails(kind))
    for how in ("code", "link"):
        reader.sign_in(how)
        assert "You are a patron until" in reader.load("/account").text
        reader.sign_out()


def record(house) -> list[Point]:
    """Every point that web and worker pass: while they start, and on both ways."""
    house.come_to_rest()
    passed = {(name, "start"): Counter(program.passed()) for name, program in house.programs.items()}
    for number, way in enumerate(MAIN_WAY.values()):
        for program in house.programs.values():
            program.forget_passed()
        go(Reader(house, f"recorder{number}"), way)
        house.come_to_rest()
        passed |= {(name, way): Counter(program.passed()) for name, program in house.programs.items()}
    most = MOST_PASSINGS[db.engine.dialect.name]
    points = []
    for name, main_way in MAIN_WAY.items():
        ways = [main_way, *(way for way in MAIN_WAY.values() if way != main_way), "start"]
        seen = set()
        for way in ways:
            new = {label: n for label, n in passed[name, way].items() if label not in seen}
            points += [Point(name, label, n + 1, way) for label in new for n in range(min(new[label], most))]
            seen |= set(new)
    return points


def live_through(house, point: Point, reader: Reader) -> bool:
    """Go the way with death at `point`; whether it came. What is passed at a start only may be recorded later."""
    program = house.programs[point.program]
    n_before = house.n_deaths
    if point.way == "start":
        die_at_start(house, point)
    else:
        program.arm(f"{point.label}#{point.n}")
    go(reader, point.way)
    house.come_to_rest()
    if house.n_deaths == n_before and point.n == 1:
        die_at_start(house, point)
        house.come_to_rest()
    program.disarm()
    return house.n_deaths > n_before


def die_at_start(house, point: Point) -> None:
    program, n_before = house.programs[point.program], house.n_deaths
    program.kill()
    program.arm(point.label)
    program.start()
    house.wait_for(f"{point.program} to die at {point.label} while it starts", lambda: house.n_deaths > n_before)


@pytest.mark.timeout(1200)
def test_killed_at_every_point_of_the_way_the_books_are_the_providers(house, capsys):
    points = record(house)
    names = {(point.program, point.label) for point in points}
    failures, n_deaths, began = [], 0, time.monotonic()
    assert len(names) >= LEAST_POINTS, sorted(names)
    for number, point in enumerate(points):
        reader = Reader(house, f"reader{number}")
        case_began = time.monotonic()
        try:
            has_died = live_through(house, point, reader)
            found = differences(house, reader, n_abandoned=1)
        except (AssertionError, requests.RequestException) as error:
            has_died, found = True, [f"{type(error).__name__}: {error}"]
            house.programs[point.program].disarm()
            house.revive()
        n_deaths += has_died
        with capsys.disabled():
            print(f"{time.monotonic() - case_began:6.2f} {point} {'' if has_died else '(not passed)'} {found or ''}")
        failures += [f"{point}: {line}" for line in found]
    report = subprocess.run(
        [sys.executable, "-m", "membership.cli", "check-books"],
        env=environment_of(house.settings), capture_output=True, text=True, check=False,
    )  # fmt: skip
    with capsys.disabled():
        print(f"{len(names)} points, {len(points)} cases, {n_deaths} deaths, {time.monotonic() - began:.0f} s")
        print(report.stdout)
    if report.returncode:
        failures.append(report.stdout + report.stderr)
    assert not failures, "\n".join(failures)
