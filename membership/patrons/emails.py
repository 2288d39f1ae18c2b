"""The mails about membership that is granted without money."""

from datetime import datetime
from typing import Any

from membership.mail.catalogue import Args, mail
from membership.newsroom.queries import newsroom
from membership.patrons.queries import find_grant, standing_of
from membership.web import settings

_EXAMPLE = {
    "newsroom_name": "The Harbour Post",
    "account_url": "https://join.example.org/account",
    "covered_until": datetime.fromisoformat("2027-03-01T21:59:00+00:00"),
}


@mail("patrons/comp", example=_EXAMPLE)
def comp(args: Args, at: datetime) -> dict[str, Any] | None:
    """To whom staff made a patron without money: until when, and that nothing is charged and nothing follows."""
    del at
    grant = find_grant(str(args["comp"]))
    if grant is None or grant.revoked_at is not None:
        return None
    return _about() | {"covered_until": grant.ends_at}


@mail("patrons/comp_revoked", example=_EXAMPLE)
def comp_revoked(args: Args, at: datetime) -> dict[str, Any] | None:
    """To whose free membership staff took back: that it ended, and until when they are a patron otherwise."""
    grant = find_grant(str(args["comp"]))
    if grant is None or grant.revoked_at is None:
        return None
    standing = standing_of(grant.person_id, at)
    return _about() | {"covered_until": standing.until if standing.is_patron else None}


def _about() -> dict[str, Any]:
    return {"newsroom_name": newsroom().name, "account_url": f"{settings().public_url}/account"}
