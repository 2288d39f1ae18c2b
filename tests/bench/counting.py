"""How long a count takes, each in a process of its own: `python -m tests.bench.counting RULE N`.

The ballots are the worst that a poll can have: 30 options, ten of them ticked or ranked, nearly all ballots different,
in groups as SQL's GROUP BY hands them over. Topics are not equally liked. The seed is fixed.
"""

import json
import random
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from fractions import Fraction

from membership.polls.counting import RULES, Profile, count

N_OPTIONS = 30
N_NAMED = 10
N_SEATS = 5
BUDGET_HOURS = 100


@dataclass(frozen=True)
class Counted:
    """One measured count; memory is the peak of the whole process, ballots and Python included."""

    rule: str
    n_ballots: int
    seconds: float
    megabytes: float

    @property
    def per_second(self) -> float:
        return self.n_ballots / self.seconds


def measured(rule: str, n_ballots: int) -> Counted:
    """Count in a process of its own, so that its peak of memory is its own too."""
    command = [sys.executable, "-m", "tests.bench.counting", rule, str(n_ballots)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    return Counted(rule, n_ballots, **json.loads(done.stdout))


def sentence(few: Counted, many: Counted) -> str:
    """What one rule needed, with its goals."""
    return (
        f"Count of {many.n_ballots:,} ballots by {many.rule}: {many.seconds:.2f} s (goal: 3 s), "
        f"{many.megabytes:.0f} MB at most (goal: 500 MB); of {few.n_ballots:,}: {few.seconds:.2f} s."
    )


def election(rule: str, n_ballots: int) -> Profile:
    """The synthetic poll for this rule."""
    chance = random.Random(2026)  # noqa: S311 - a fixed seed, no secret
    ones = [(option,) for option in range(N_OPTIONS)]
    liking = [1 / (option + 8) for option in range(N_OPTIONS)]
    groups: dict[tuple[tuple[int, ...], ...], int] = {}
    while n_ballots:
        drawn = chance.choices(range(N_OPTIONS), liking, k=N_NAMED * 20_000)
        for start in range(0, min(n_ballots, 20_000) * N_NAMED, N_NAMED):
            named = tuple(dict.fromkeys(drawn[start : start + N_NAMED]))
            named += tuple(option for option in chance.sample(range(N_OPTIONS), N_NAMED) if option not in named)
            named = named[:N_NAMED]
            kinds = {"ranking": tuple(ones[o] for o in named), "single": (ones[named[0]],)}
            choice = kinds.get(RULES[rule].kind) or (tuple(sorted(named)),)
            groups[choice] = groups.get(choice, 0) + 1
        n_ballots -= min(n_ballots, 20_000)
    n_voters = sum(groups.values())
    return Profile(
        options=tuple(f"Topic {option}" for option in range(N_OPTIONS)),
        lot_order=tuple(range(N_OPTIONS)),
        groups=[(size, choice) for choice, size in groups.items()],
        costs=tuple(chance.randint(2, 30) for _ in range(N_OPTIONS)) if rule == "equal-shares" else None,
        budget=BUDGET_HOURS,
        unit=Fraction(1, n_voters),
    )


if __name__ == "__main__":
    _, rule, number = sys.argv
    profile = election(rule, int(number))
    began = time.perf_counter()
    count(rule, profile, N_SEATS)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak}))
