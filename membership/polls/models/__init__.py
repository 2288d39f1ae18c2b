"""Tables of polls (`tables`), and the triggers that freeze them (`guards`)."""

from membership.polls.models.guards import guard_statements
from membership.polls.models.tables import (
    ChainLink,
    Commitment,
    CountedBallot,
    Poll,
    PollOption,
    PollResult,
    RollEntry,
    SealedBallot,
    Skip,
)

__all__ = [
    "ChainLink",
    "Commitment",
    "CountedBallot",
    "Poll",
    "PollOption",
    "PollResult",
    "RollEntry",
    "SealedBallot",
    "Skip",
    "guard_statements",
]
