"""What somebody at the desk has typed into the one box: recognised by its shape, so that it is looked up in the one
index where it can be. What is found in none of them is taken for the beginning of a name or an address.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum import iban

from membership.accounts.rules import folded
from membership.transfers.rules import codes
from membership.transfers.rules.accounts import compact

LONGEST_SEARCH = 120
MOST_WORDS = 6
# A code stands by itself; a text in which one occurs is no code.
LONGEST_CODE = 24

_OURS = re.compile(r"(per|con|gif)_\w+", re.ASCII)
_AT_PROVIDER = re.compile(r"[a-z]{2,12}_\w{2,}", re.ASCII)
_RECEIPT = re.compile(r"\d{4}-\d{6,12}", re.ASCII)
_END = re.compile(r"[*•.… ]*(\d{4})", re.ASCII)


class Kind(StrEnum):
    """What a text may be the name of. All but WORDS are looked up whole."""

    PERSON = "person"
    SUPPORT = "support"
    GIFT = "gift"
    RECEIPT = "receipt"
    AT_PROVIDER = "at_provider"
    CODE = "code"
    ACCOUNT = "account"
    END = "end"
    ADDRESS = "address"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. `value` is what is looked up whole; `words` are beginnings, of which a person must have every
    one, where that finds nobody (empty: then nobody is found).
    """

    kind: Kind
    value: str
    words: tuple[str, ...]


def read(text: str, code_prefix: str) -> Search | None:
    """What `text` asks for; None where nothing was typed. `code_prefix` is the newsroom's (transfers.rules.codes)."""
    typed = " ".join(text[:LONGEST_SEARCH].split())
    if not typed:
        return None
    if "@" in typed:
        address = typed.lower().replace(" ", "")
        return Search(Kind.ADDRESS, address, (address,))
    kind, value = _whole(typed, code_prefix)
    return Search(kind, value, tuple(dict.fromkeys(folded(typed).split()[:MOST_WORDS])))


def _whole(typed: str, code_prefix: str) -> tuple[Kind, str]:
    ours = _OURS.fullmatch(typed)
    if ours:
        return {"per": Kind.PERSON, "con": Kind.SUPPORT, "gif": Kind.GIFT}[ours[1]], typed
    if _RECEIPT.fullmatch(typed):
        return Kind.RECEIPT, typed
    if _AT_PROVIDER.fullmatch(typed):
        return Kind.AT_PROVIDER, typed
    if iban.is_valid(typed):
        return Kind.ACCOUNT, compact(typed)
    bodies = codes.bodies_in(typed, code_prefix) if len(typed) <= LONGEST_CODE else []
    if len(bodies) == 1:
        return Kind.CODE, bodies[0]
    end = _END.fullmatch(typed)
    return (Kind.END, end[1]) if end else (Kind.WORDS, typed)
