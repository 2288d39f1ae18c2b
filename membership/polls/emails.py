"""The mails of a poll: it is open, it closes soon, this was chosen. They know who voted, and nobody's choice.

All carry the one link that stops them. A mail that is out of date when its turn comes is not sent.
"""

from datetime import datetime
from typing import Any

from membership.accounts.models import Person
from membership.db import db
from membership.mail.catalogue import About, Args, mail
from membership.mail.stopping import stop_url
from membership.newsroom.queries import newsroom
from membership.polls import queries
from membership.polls.models import Poll, RollEntry
from membership.polls.rules import shown_order
from membership.web import settings

_EXAMPLE = {
    "newsroom_name": "The Harbour Post",
    "title": "May 2027",
    "poll_url": "https://join.example.org/polls/pol_0123456789abcdefghjkmnpqrs",
    "stop_url": "https://join.example.org/mail/stop/example",
}
_EXAMPLE_OPENING = datetime.fromisoformat("2027-05-01T09:00:00+00:00")
_EXAMPLE_CLOSE = datetime.fromisoformat("2027-05-15T18:00:00+00:00")


@mail(
    "polls/opened",
    example=_EXAMPLE
    | {
        "is_open": True,
        "opens_at": _EXAMPLE_OPENING,
        "closes_at": _EXAMPLE_CLOSE,
        "n_seats": 2,
        "options": ["Port", "Trams", "Air"],
    },
    about=About.POLLS,
)
def opened(args: Args, at: datetime) -> dict[str, Any] | None:
    """To everybody on the roll: a poll is open, what is on the ballot, and until when."""
    found = _open_for(args, at)
    if found is None:
        return None
    poll, entry = found
    return _about(poll, entry) | {
        "is_open": poll.opens_at <= at,
        "opens_at": poll.opens_at,
        "closes_at": poll.closes_at,
        "n_seats": poll.n_seats,
        "options": _as_on_the_ballot(poll, entry.person_id),
    }


@mail("polls/closing", example=_EXAMPLE | {"closes_at": _EXAMPLE_CLOSE, "n_seats": 2}, about=About.REMINDERS)
def closing(args: Args, at: datetime) -> dict[str, Any] | None:
    """To those on the roll who have not voted: the poll closes soon. Whoever votes before it leaves gets none."""
    found = _open_for(args, at)
    if found is None:
        return None
    poll, entry = found
    return _about(poll, entry) | {"closes_at": poll.closes_at, "n_seats": poll.n_seats}


@mail(
    "polls/results",
    example=_EXAMPLE | {"chosen": ["Port", "Air"], "n_voted": 312, "n_roll": 1040, "has_voted": True},
    about=About.POLLS,
)
def results(args: Args, at: datetime) -> dict[str, Any] | None:
    """To everybody on the roll who wants to hear of it: what was chosen, and where the count is explained."""
    del at
    poll, entry = _find(args)
    result = queries.result_of(poll.id)
    if result is None or entry is None or not entry.wants_news:
        return None
    options = queries.options_of(poll.id)
    return _about(poll, entry) | {
        "chosen": [options[position].title for position in queries.winners_now(poll)],
        "n_voted": result.n_voted,
        "n_roll": poll.n_roll,
        "has_voted": entry.has_voted,
    }


def _find(args: Args) -> tuple[Poll, RollEntry | None]:
    """The poll and this person's line of its roll; none where the person turned out to be somebody else on it."""
    poll_id, person_id = int(args["poll_id"]), int(args["person_id"])
    return db.session.get_one(Poll, poll_id), db.session.get(RollEntry, (poll_id, person_id))


def _open_for(args: Args, at: datetime) -> tuple[Poll, RollEntry] | None:
    """The poll and this person's line of its roll, while their vote is still missing and awaited."""
    poll, entry = _find(args)
    if entry is None or entry.is_closed or entry.has_voted or not entry.wants_news:
        return None
    return None if poll.state != "open" or at >= poll.closes_at else (poll, entry)


def _as_on_the_ballot(poll: Poll, person_id: int) -> list[str]:
    """The titles in the order in which this person's ballot shows them, so that no option gains by the mail."""
    options = queries.options_of(poll.id)
    person = db.session.get_one(Person, person_id)
    order = shown_order(poll.order_seed or "", person.public_id, len(options))
    return [options[position].title for position in order]


def _about(poll: Poll, entry: RollEntry) -> dict[str, Any]:
    return {
        "newsroom_name": newsroom().name,
        "title": poll.title,
        "poll_url": f"{settings().public_url}/polls/{poll.public_id}",
        "stop_url": stop_url("poll", poll.id, entry.person_id),
    }
