"""What the first page of the desk shows, read from the rooms below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from membership.contributions.models import StanceChange
from membership.contributions.queries import find_guarded
from membership.corrections import queries as corrections
from membership.corrections.rules import State
from membership.newsroom.queries import day_of
from membership.patrons.queries import n_patrons
from membership.polls import queries as polls
from membership.polls.models import Poll
from membership.polls.queries import Turnout
from membership.topics import queries as topics
from membership.topics.models import Topic
from membership.topics.queries import Promise
from membership.topics.rules import Stage

MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """The newsroom at one moment: what waits, what runs, and what was promised. Lists hold at most a few each.

    `unassigned` topics were chosen and have no owner yet; `troubled` polls cannot go on without somebody.
    `n_reported` passages of articles wait for an answer. `guarded` says since when payment pages are guarded against
    card testers; None while they are not.
    """

    at: datetime
    n_patrons: int
    n_proposed: int
    n_reported: int
    proposed: Sequence[Topic]
    open_polls: Sequence[tuple[Poll, Turnout]]
    drafts: Sequence[Poll]
    troubled: Sequence[Poll]
    unassigned: Sequence[Topic]
    promise: Promise
    guarded: StanceChange | None


def desk(at: datetime) -> Desk:
    """What the desk shows at `at`. Polls say how many voted, never for what (decision 18)."""
    running = polls.list_for_staff(state="open")
    turnouts = polls.turnouts([poll.id for poll in running])
    return Desk(
        at=at,
        n_patrons=n_patrons(at),
        n_proposed=topics.n_by_stage().get(Stage.PROPOSED, 0),
        n_reported=corrections.n_by_state().get(State.NEW, 0),
        proposed=topics.list_at(Stage.PROPOSED, MOST_SHOWN, oldest_first=True),
        open_polls=[(poll, turnouts[poll.id]) for poll in running],
        drafts=polls.list_for_staff(MOST_SHOWN, "draft"),
        troubled=[poll for poll in running if poll.trouble],
        unassigned=topics.list_at(Stage.CHOSEN, MOST_SHOWN, oldest_first=True),
        promise=topics.promise(at, day_of(at)),
        guarded=find_guarded(),
    )
