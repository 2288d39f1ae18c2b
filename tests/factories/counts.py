"""What pages tell of appeals: batches as a browser sends them, and as they are counted."""

import secrets
from datetime import UTC, datetime

from membership.appeals.rules import State
from membership.appeals.rules.batches import Event, Told
from membership.appeals.services.counting import Received
from membership.db import transaction
from tests.factories.appeals import make_appeal_at, make_variant

APPEAL = "apl_0123456789abcdefghjkmnpqrs"
OTHER_APPEAL = "apl_0123456789abcdefghjkmnpqrt"
ARTICLE = "https://www.harbourpost.example/dredging"
KEY = "harbourpost.example/dredging"
NOON = datetime(2026, 11, 18, 12, 20, tzinfo=UTC)


def a_name() -> str:
    """The random name of a batch: 22 characters."""
    return secrets.token_urlsafe(16)


def a_body(*events, article=ARTICLE, batch="") -> dict:
    """A batch as a browser sends it; of one view where nothing is said."""
    told = [list(event) for event in events] or [["view", APPEAL, "a", 1]]
    return {"batch": batch or a_name(), "article": article, "events": told}


def received(*events, batch="", article_key=KEY, at=NOON, appeal=APPEAL) -> Received:
    """A batch to be counted, of `(event, variant, weight)`; of one view of "a" where nothing is said."""
    told = tuple(Told(Event(name), appeal, variant, weight) for name, variant, weight in events or [("view", "a", 1)])
    return Received(batch or a_name(), article_key, told, at, at)


def know(*appeals: str) -> None:
    """Running appeals of these names, so that what is told of them counts."""
    for name in appeals:
        made = make_appeal_at(State.RUNNING, *(make_variant(key) for key in "abcd"))
        with transaction("test.name"):
            made.public_id = name
