"""The page of one poll, which several views answer with: as it stands, with a ranking in the making, with a problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flask import render_template, url_for
from flask_login import current_user

from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.patrons.queries import standing_of
from membership.patrons.rules import Why
from membership.polls import queries, rules
from membership.polls.models import Poll, PollOption
from membership.web import settings

Phase = Literal["draft", "soon", "open", "counting", "closed", "cancelled"]
WhyNot = Literal["not_patron", "grace", "comp", "late"]
Part = WhyNot | Literal["voted", "needs_vote", "not_covered"]

# With these the ballot stays on the page as it was filled in: its voter can mend it, or come back with it.
KEEPS_BALLOT = ("choice", "not_covered", "payment_returned")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A ballot that is not saved: what it names, which button takes the focus ("up-3"), what was wrong with it."""

    chosen: Sequence[int] = ()
    focus: str | None = None
    problem: str | None = None
    problem_words: str | None = None


def phase_of(state: str, opens_at: datetime, closes_at: datetime, at: datetime) -> Phase:
    """Where a poll stands for a reader. "soon" is opened by staff but takes no ballots yet; "counting" is between
    the last moment to vote and the close that the worker does.
    """
    if state == "open":
        return "soon" if at < opens_at else "open" if at < closes_at else "counting"
    return "draft" if state == "draft" else "cancelled" if state == "cancelled" else "closed"


def phase(poll: Poll, at: datetime) -> Phase:
    """`phase_of` a poll."""
    return phase_of(poll.state, poll.opens_at, poll.closes_at, at)


def kind_of(poll: Poll) -> str:
    """How the ballot of a poll looks: "approval", "ranking" or "single"."""
    return rules.ballot_kind(poll.rule)


def public_poll(public_id: str) -> Poll:
    """A poll that readers may know of; NotFound for a draft too, also if it was cancelled as one."""
    poll = queries.get_by_public_id(public_id)
    if poll.opened_at is None:
        raise NotFound("no_poll", "There is no such poll.")
    return poll


def why_not(poll: Poll, person_id: int) -> WhyNot:
    """Why somebody is not on the roll of a poll that was opened: how they stood at that moment."""
    standing = standing_of(person_id, poll.opened_at or poll.opens_at)
    if standing.why is Why.GRACE:
        return "grace"
    if not standing.is_covered:
        return "not_patron"
    return "comp" if standing.why is Why.COMP and poll.eligibility == "paid" else "late"


def part_in(poll: Poll, person_id: int, at: datetime) -> Part:
    """Somebody's part in an open poll, in one word for the list."""
    part = queries.my_part(poll, person_id, at)
    if part.has_voted or part.voted_elsewhere:
        return "voted"
    if not part.is_on_roll:
        return why_not(poll, person_id)
    return "needs_vote" if part.may_cast else "not_covered"


def in_order(poll: Poll, options: Sequence[PollOption], person_public_id: str) -> list[PollOption]:
    """The options as one voter sees them; everybody who is not signed in sees the same order."""
    order = rules.shown_order(poll.order_seed or poll.public_id, person_public_id, len(options))
    return [options[position] for position in order]


def show(poll: Poll, attempt: Attempt | None = None) -> str:
    """The page of a poll for whoever asks, with the ballot as it was saved or as it was just tried."""
    now = clock.now()
    part = queries.my_part(poll, current_user.id, now) if current_user.is_authenticated else None
    saved = part.current if part and part.current else ()
    tried = attempt or Attempt(chosen=saved)
    keeps = tried.problem is not None and tried.problem.startswith(KEEPS_BALLOT)
    is_open = phase(poll, now) == "open"
    facts = _facts(poll, now) | {
        "part": part,
        "why_not": why_not(poll, current_user.id) if part and not part.is_on_roll else None,
        "may_cast": bool(part and part.is_on_roll and is_open and (part.may_cast or keeps)),
        "turnout": queries.turnout(poll.id) if poll.n_roll is not None else None,
        "head": queries.head_of(poll.id),
        "ballot_url": url_for("ballots.cast", public_id=poll.public_id),
        "arrange_url": url_for("ballots.arrange", public_id=poll.public_id),
    }
    return _render(facts, tried)


def preview(poll: Poll, attempt: Attempt) -> str:
    """The page of a draft exactly as a voter will see it, but for the frame that says so."""
    here = url_for("poll_desk.preview", public_id=poll.public_id)
    facts = _facts(poll, clock.now()) | {"may_cast": True, "is_preview": True}
    return _render(facts | {"ballot_url": here, "arrange_url": here}, attempt)


def _facts(poll: Poll, now: datetime) -> dict[str, Any]:
    options = queries.options_of(poll.id)
    lot = rules.lot_order(poll.lot_seed, len(options)) if poll.lot_seed else ()
    return {
        "poll": poll,
        "phase": phase(poll, now),
        "kind": kind_of(poll),
        "options": in_order(poll, options, current_user.public_id if current_user.is_authenticated else ""),
        "lot": [options[position].title for position in lot],
        "zone": settings().newsroom_zone,
    }


def _render(facts: dict[str, Any], attempt: Attempt) -> str:
    return render_template(
        "polls/poll.html",
        **facts,
        chosen=list(attempt.chosen),
        focus=attempt.focus,
        problem=attempt.problem,
        problem_words=attempt.problem_words,
    )
