"""The mail that signs in."""

from datetime import datetime
from typing import Any

from membership.accounts import services
from membership.accounts.rules import PLACES, REQUEST_LIFE
from membership.mail.catalogue import mail
from membership.web import settings
from membership.web.links import absolute

MINUTES = int(REQUEST_LIFE.total_seconds() // 60)


@mail(
    "accounts/sign_in",
    example={
        "is_known": True,
        "link_url": "https://join.example.org/signin/link/an-example-and-no-secret",
        "code": "1234 5678",
        "n_minutes": MINUTES,
    },
)
def sign_in(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To whoever asks to sign in: the link and the code, or, where nobody has the address, how to join.

    The secrets are made here, as the mail leaves. A request that is over by then gets no mail.
    """
    del at
    secrets = services.issue_secrets(int(args["request_id"]))
    if secrets is None:
        return None
    return {
        "is_known": secrets.is_known,
        "link_url": absolute("accounts.link", token=secrets.token) if secrets.is_known else None,
        "code": f"{secrets.code[:4]} {secrets.code[4:]}",
        "n_minutes": MINUTES,
        "join_url": settings().public_url + PLACES["contribute"],
    }
