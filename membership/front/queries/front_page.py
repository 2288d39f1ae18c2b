"""What the front page shows, read from the rooms below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from membership.contributions.queries import monthly_gifts
from membership.kernel.money import Money
from membership.newsroom import queries as newsroom
from membership.newsroom.rules.prices import in_one_currency
from membership.patrons.queries import n_patrons
from membership.polls import queries as polls
from membership.polls.models import Poll
from membership.polls.queries import Turnout
from membership.topics import queries as topics
from membership.topics.models import Topic

N_STORIES = 3
# Older ones lose their badge: a public file that every reader's browser asks for stays small.
N_BADGES = 200


@dataclass(frozen=True, slots=True)
class Goal:
    """How far the newsroom is: patrons now and wanted; where it asks for money instead, both sums a month."""

    n_patrons: int
    n_wanted: int
    money: Money | None = None
    money_wanted: Money | None = None


def goal(at: datetime) -> Goal:
    """The goal of the front page as it stands at `at`; in patrons where its currency has no price any more."""
    wanted, n_now = newsroom.goal(), n_patrons(at)
    if wanted.kind == "money":
        money = in_one_currency(monthly_gifts(), wanted.currency, newsroom.prices())
        if money is not None:
            return Goal(n_now, wanted.n_patrons, money, wanted.money)
    return Goal(n_patrons=n_now, n_wanted=wanted.n_patrons)


@dataclass(frozen=True, slots=True)
class Vote:
    """The poll that is open now and closes first, with how many voted."""

    poll: Poll
    turnout: Turnout


def vote(at: datetime) -> Vote | None:
    """The vote to take part in at `at`; None while there is none."""
    found = polls.list_open(at)
    return Vote(found[0], polls.turnout(found[0].id)) if found else None


def stories() -> Sequence[Topic]:
    """The latest stories that members chose, at most three."""
    return topics.stories(N_STORIES).rows


def chosen_stories() -> Sequence[Topic]:
    """The latest stories that members chose, as many as wear a badge on the newsroom's own site."""
    return topics.stories(N_BADGES).rows
