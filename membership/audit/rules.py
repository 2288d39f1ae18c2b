"""How a row of the audit log is hashed, and what may stand in one, as pure functions of values."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NOTHING = "0" * 64
"""What the first row follows."""
COMMAND = "command"
"""Whoever works at the machine itself, by `membership …`: they could change the database as well."""
STAFF = "staff:"
LONGEST_REASON = 500
MOST_DETAIL = 2000

Plain = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row says, as it goes under its hash. Its number is not in it: its place in the chain is."""

    at: datetime
    actor: str
    action: str
    subject: str
    about: str | None
    reason_digest: str | None
    before: Plain
    after: Plain


def is_logged(actor: str) -> bool:
    """Whether what `actor` does stands in the log: staff and the command line. Members and the clock do not."""
    return actor == COMMAND or actor.startswith(STAFF)


def hash_of(previous: str, facts: Facts) -> str:
    """SHA-256 over the hash of the row before and the row's canonical JSON, as 64 hex characters.

    Canonical: one object, keys in order, no blanks, UTF-8, the moment in UTC with microseconds. A program in another
    language that knows this line finds the same.
    """
    values = {
        "about": facts.about,
        "action": facts.action,
        "actor": facts.actor,
        "after": facts.after,
        "at": facts.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "before": facts.before,
        "reason": facts.reason_digest,
        "subject": facts.subject,
    }
    return hashlib.sha256(previous.encode() + canonical(values)).hexdigest()


def canonical(values: Mapping[str, Any]) -> bytes:
    """JSON with keys in order, without blanks, in UTF-8."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of_reason(salt: str, reason: str) -> str:
    """What the chain holds of a reason. Once salt and words are gone, nobody can guess the words from it."""
    return hashlib.sha256(f"{salt}:{reason}".encode()).hexdigest()


def check_plain(values: Plain) -> None:
    """ValueError for what may not stand in `before` and `after`: addresses, long texts, and numbers that JSON does not
    give back as they were.
    """
    for leaf in _leaves(values):
        is_plain = isinstance(leaf, str | int | None)
        if not is_plain or "@" in str(leaf):
            raise ValueError("The audit log keeps ids, names of fields, whole numbers, yes, no and nothing.")
    if values is not None and len(canonical(values)) > MOST_DETAIL:
        raise ValueError("The audit log keeps ids, no texts.")


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [leaf for key, part in value.items() for leaf in (key, *_leaves(part))]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]
