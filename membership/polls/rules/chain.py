"""What makes a poll checkable: canonical JSON, commitments, the chain of heads, digests.

Everything here is repeated in `docs/verify_poll.py`, which shares no code with us. All digests are SHA-256 as 64
hexadecimal characters, over text in UTF-8.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

# What stands before the first link.
NOTHING = "0" * 64


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, and letters as they are: the same text for the same value, everywhere."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value."""
    return digest(canonical(value))


def moment(at: datetime) -> str:
    """A moment as evidence writes it: UTC with microseconds, such as 2026-11-22T19:00:00.000000Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def commitment(nonce: str, choice: str) -> str:
    """What binds a ballot and says nothing about it: the nonce is 256 random bits, as 64 hexadecimal characters."""
    return digest(f"{nonce}|{choice}")


def head_after(head: str, kind: str, entry: str) -> str:
    """The head of the chain after one more link: SHA-256("<head>|<kind>|<entry>")."""
    return digest(f"{head}|{kind}|{entry}")


def heads_after(head: str, kind: str, entries: Iterable[str]) -> list[str]:
    """The heads after each of several links of one kind, in order."""
    heads = []
    for entry in entries:
        head = head_after(head, kind, entry)
        heads.append(head)
    return heads


def digest_of_lines(lines: Iterable[str]) -> str:
    """SHA-256 over lines that each end with a newline; of none: that of the empty text."""
    sha = hashlib.sha256()
    for line in lines:
        sha.update(line.encode() + b"\n")
    return sha.hexdigest()


def blind_for(blind: str, what: str) -> str:
    """The first line of a digest over few possible values, so that nobody finds them by trying; 256 secret bits.

    Those of "choices" are shown where ballots are published, those of "ballots" to an auditor only.
    """
    return digest(f"{blind}|{what}")
