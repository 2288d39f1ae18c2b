"""The mails that follow from what the provider says of a running support. Each leaves once for each cause.

They hang on what is seen to have changed, not on who asked for it: so a giver also hears what our staff did, or
what somebody did at the provider, and a death between asking and answering loses no mail.
"""

from datetime import datetime

from membership.accounts.models import Person
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db
from membership.mail import services as mail

# What a giver is told of the state that it is in now. That payments failed is told elsewhere (`trouble`).
_TOLD = {State.PAUSED: "paused", State.CANCELLING: "cancelled", State.ENDED: "ended"}
_GOES_ON_AFTER = frozenset({State.PAUSED, State.CANCELLING})


def tell_of_state(contribution: Contribution, before: State) -> None:
    """It came into another state just now: say so to its giver, where it is not trouble with money."""
    now = State(contribution.state)
    kind = _TOLD.get(now)
    if kind is None and now is State.ACTIVE and before in _GOES_ON_AFTER:
        kind = "resumed"
    if kind is not None:
        _send(contribution, kind, contribution.state_at)


def tell_of_terms(contribution: Contribution, at: datetime) -> None:
    """Another amount or rhythm counts from now on."""
    _send(contribution, "changed", at)


def _send(contribution: Contribution, kind: str, at: datetime) -> None:
    if contribution.person_id is None:
        return
    mail.send(
        f"contributions/{kind}",
        db.session.get_one(Person, contribution.person_id).email,
        contribution.locale,
        {"contribution_id": contribution.id},
        once_key=f"{kind}:{contribution.reference}:{at.isoformat()}",
    )
