"""A demo in which some months have passed: members came month by month, gave, and some of their cards fail.

Everything happens over HTTP, as in life; only the sandbox's clock is moved. Nobody in it exists.
"""

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice

from tests.factories.checkout import FAILS_AT_RENEWAL, GOOD_CARD
from tests.journeys.crowd import Member, all_at_once
from tests.journeys.demo import Demo, until

NAMES = (
    "Olha", "Taras", "Maja", "Jonas", "Iryna", "Petro", "Lena", "Marek", "Sofiia", "Danylo", "Anneke", "Bohdan",
    "Clara", "Yurii", "Hanna", "Emil", "Nadiia", "Ruben", "Oksana", "Felix", "Zoriana", "Milan", "Vira", "Otto",
)  # fmt: skip
LETTERS = "ABDHKLMRSTVZ"
WAYS = ({}, {}, {}, {"cups": "2"}, {"cups": "2"}, {"cups": "4"}, {"rhythm": "yearly"}, {"rhythm": "once", "cups": "4"})
SETTLING_SECONDS = 120
STEPS = (27, 1, 1, 1, 1)
"""How a month passes: day by day where renewals fall due, so that each failure is heard of before it is tried again."""


@dataclass
class Months:
    """What is lived: so many newcomers in each month, and how many of the last ones have a card that fails later."""

    newcomers: tuple[int, ...]
    n_failing: int = 2
    members: list[Member] = field(default_factory=list)
    failing: list[Member] = field(default_factory=list)


def live(demo: Demo, months: Months) -> Months:
    """Month after month; in the end the last renewals have failed, and everything is booked."""
    dice = random.Random(11)  # noqa: S311 - not for secrets
    names = _names()
    for at, n in enumerate(months.newcomers):
        is_last = at == len(months.newcomers) - 1
        newcomers = [(Member(demo, _address(name)), name, dice.choice(WAYS)) for name in islice(names, n)]
        weak = newcomers[: months.n_failing] if is_last else []
        all_at_once(newcomers, lambda each, weak=weak: _joins(*each, is_weak=each in weak))
        months.members += [member for member, _, _ in newcomers]
        months.failing += [member for member, _, _ in weak]
        for days in STEPS:
            demo.advance(days=days)
            _settle(demo)
    until(lambda: _n_failing(demo) >= len(months.failing), SETTLING_SECONDS, "renewals that fail")
    return months


def _joins(member: Member, name: str, wish: dict[str, str], *, is_weak: bool) -> None:
    wish = {"rhythm": "monthly", "cups": "2"} if is_weak else wish
    shown = {"public_name": name} if len(name) % 2 else {}
    member.becomes_patron(FAILS_AT_RENEWAL if is_weak else GOOD_CARD, **wish, **shown)


def _names() -> Iterator[str]:
    """First names with a letter; all of them before any comes again with another letter."""
    for round_, letter in enumerate(cycle(LETTERS)):
        for at, name in enumerate(NAMES):
            yield f"{name} {LETTERS[(at + round_) % len(LETTERS)] if round_ < len(LETTERS) else letter}."


def _address(name: str) -> str:
    return f"{name.lower().replace(' ', '.').rstrip('.')}@example.org"


def _n_failing(demo: Demo) -> int:
    return len(demo.rows("SELECT id FROM contributions WHERE state = 'past_due'"))


def _settle(demo: Demo) -> None:
    """Wait until whatever the month brought has been booked."""
    open_work = "SELECT id FROM inbox_events WHERE state IN ('received', 'waiting')"
    until(lambda: not demo.rows(open_work), SETTLING_SECONDS, "all notices worked off")


def run(demo: Demo, *command: str) -> str:
    """What `membership …` says about this demo."""
    done = subprocess.run(
        [sys.executable, "-m", "membership.cli", *command],
        env=demo.environment(), cwd=demo.folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
