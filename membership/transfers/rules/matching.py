"""Whose money a line of a statement is. Pure: what is known goes in, the best answer comes out, and how sure it is.

In this order: our code in the text, a payer's account that we know, and then only suggestions. Money is booked
without asking only where the answer is certain; a suggestion never books.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz, utils

from membership.kernel.money import Money

ALIKE = 80
"""From this likeness of two names on (0 to 100, rapidfuzz's token_sort_ratio) they may be one person's.

Not token_set_ratio: to it "Koval" and a list of twenty names with Koval among them are the same.
"""


class Why(StrEnum):
    """Why we think so. TWO_CODES and SEEN_ELSEWHERE hold back what else would be certain."""

    CODE = "code"
    ACCOUNT = "account"
    NEAR_CODE = "near_code"
    NAME = "name"
    TWO_CODES = "two_codes"
    SEEN_ELSEWHERE = "seen_elsewhere"
    MOVEMENT = "movement"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Announced:
    """Somebody said that money would come: who they may be called, how much, and the contribution it is for."""

    reference: str
    amount: Money
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about one line: references of codes in its text, of codes that are nearly there, the
    contributions (one for each person) that its account gave to before, the payers' names of then as far as they are
    still known (many people may pay through one collecting account), and what was announced.

    `is_odd`: hardly a gift. `is_seen`: another form of statement seems to have told of it already. `was_decided`: it
    was booked or ignored before, and somebody opened it again.
    """

    coded: Sequence[str] = ()
    nearly: Sequence[str] = ()
    by_account: Sequence[str] = ()
    earlier_names: Sequence[str] = ()
    announced: Sequence[Announced] = ()
    is_odd: bool = False
    is_seen: bool = False
    was_decided: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """The contribution that a line most likely belongs to, why, and whether it may be booked without asking."""

    reference: str
    why: Why
    is_certain: bool


def match(amount: Money, name: str, known: Known) -> Match | None:
    """The best answer, or None where a person must look."""
    found = _best(amount, name, known)
    if found is None or not found.is_certain or not (known.is_odd or known.is_seen or known.was_decided):
        return found
    return Match(found.reference, Why.SEEN_ELSEWHERE if known.is_seen else found.why, is_certain=False)


def _best(amount: Money, name: str, known: Known) -> Match | None:
    if known.coded:
        is_one = len(known.coded) == 1
        return Match(known.coded[0], Why.CODE if is_one else Why.TWO_CODES, is_certain=is_one)
    if len(known.by_account) == 1:
        is_same = not known.earlier_names or _likeness(name, known.earlier_names) >= ALIKE
        return Match(known.by_account[0], Why.ACCOUNT, is_certain=is_same)
    if known.nearly:
        return Match(known.nearly[0], Why.NEAR_CODE, is_certain=False)
    if known.by_account:  # an account that two people share
        return Match(known.by_account[0], Why.ACCOUNT, is_certain=False)
    alike = [(_likeness(name, each.names), each.reference) for each in known.announced if each.amount == amount]
    best = max(alike, default=(0.0, ""), key=lambda each: each[0])
    return Match(best[1], Why.NAME, is_certain=False) if best[0] >= ALIKE else None


def _likeness(name: str, names: Sequence[str]) -> float:
    plain = utils.default_process(name)
    return max(
        (fuzz.token_sort_ratio(plain, utils.default_process(each)) for each in names if plain and each), default=0
    )
