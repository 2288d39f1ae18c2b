"""The mails to owners: something that should come does not, and it comes again."""

from datetime import datetime
from typing import Any

from membership.db import db
from membership.mail.catalogue import Args, mail
from membership.operations.models import Silence
from membership.web.links import absolute

_EXAMPLE = {
    "stream": "webhooks",
    "n_seen": 0,
    "n_expected": 140,
    "began_at": datetime.fromisoformat("2027-03-01T09:30:00+00:00"),
    "health_url": "https://join.example.org/staff/health",
}


def _context(row: Silence) -> dict[str, Any]:
    return {
        "stream": row.stream,
        "n_seen": row.n_seen,
        "n_expected": row.n_expected,
        "began_at": row.began_at,
        "health_url": absolute("health.index"),
    }


@mail("operations/silence", example=_EXAMPLE)
def silence(args: Args, at: datetime) -> dict[str, Any] | None:
    """To owners, once: something that should have come did not, such as notices, mails or charges."""
    del at
    row = db.session.get(Silence, int(args["silence_id"]))
    return None if row is None or row.ended_at is not None else _context(row)


@mail("operations/silence_over", example=_EXAMPLE | {"ended_at": _EXAMPLE["began_at"], "n_seen": 96})
def silence_over(args: Args, at: datetime) -> dict[str, Any] | None:
    """To owners, once: what had fallen silent comes again."""
    del at
    row = db.session.get(Silence, int(args["silence_id"]))
    return None if row is None or row.ended_at is None else _context(row) | {"ended_at": row.ended_at}
