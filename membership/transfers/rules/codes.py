"""The personal reference code that a giver writes into a bank transfer, such as "HP-7K2M-4Q9".

A prefix of the newsroom's initials, then seven characters: six at random and one that checks them. The alphabet has
31 characters, a prime, and each place has its own weight: so one wrong character and two that changed places are
always noticed. Nothing in it is taken for something else (no 0, O, 1, I, L), and every code mixes digits and
letters, so that no word and no number in a remittance text is taken for one.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from stdnum.iso7064 import mod_97_10

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 7
FEWEST_OF_A_KIND = 2
LONGEST_PREFIX = 3
ANY_PREFIX = "RM"

# What a keyboard of another script writes for a letter that looks the same.
LOOK_ALIKES = str.maketrans("АВЕКМНРСТХУЅЈΑΒΕΖΗΚΜΝΡΤΥΧ", "ABEKMHPCTXYSJABEZHKMNPTYX")
_WORD = re.compile(r"[A-Z0-9]+")


def prefix_of(newsroom: str) -> str:
    """The initials of a newsroom, at most three: "The Harbour Post" -> "HP"; "RM" where none is Latin."""
    words = re.findall(r"[A-Za-z]+", newsroom)
    words = [word for word in words if word.lower() != "the"] or words
    return "".join(word[0] for word in words[:LONGEST_PREFIX]).upper() or ANY_PREFIX


def new_body(choose: Callable[[str], str] = secrets.choice) -> str:
    """Seven characters at random, the last of which checks the others; with two digits and two letters at least."""
    while True:
        six = "".join(choose(ALPHABET) for _ in range(LENGTH - 1))
        body = six + _check_character(six)
        if is_body(body):
            return body


def is_body(text: str) -> bool:
    """Whether `text` can be the seven characters of a code: alphabet, mixture, check character."""
    return _has_its_shape(text) and set(text) <= set(ALPHABET) and text[-1] == _check_character(text[:-1])


def written(prefix: str, body: str) -> str:
    """A code as people read it: "HP-7K2M-4Q9"."""
    return f"{prefix}-{body[:4]}-{body[4:]}"


def creditor_reference(prefix: str, body: str) -> str:
    """The same code as an ISO 11649 creditor reference: "RF", two check digits, prefix and body."""
    number = prefix + body
    return f"RF{mod_97_10.calc_check_digits(number + 'RF')}{number}"


def bodies_in(text: str, *prefixes: str) -> list[str]:
    """Every code that stands in a remittance text, in order, each once: with any spaces, hyphens and letter case.

    A code counts where it stands by itself (its groups may be apart), or right behind one of `prefixes`, as in a
    creditor reference.
    """
    found = [run for run in _runs(text, prefixes) if is_body(run)]
    return list(dict.fromkeys(found))


def near_bodies(text: str, *prefixes: str) -> list[str]:
    """Codes that stand in the text with one wrong character or two that changed places: what they may have been.

    Up to some hundreds, without order; only a table of codes given out says which of them is one. Nothing where the
    text has a right code already.
    """
    if bodies_in(text, *prefixes):
        return []
    wrong = [run for run in _runs(text, prefixes) if _has_its_shape(run, fewest=1)]
    return list(dict.fromkeys(body for run in wrong for body in _mended(run)))


def plain(text: str) -> str:
    """A text in capitals, with letters of other scripts that look like Latin ones made Latin."""
    return text.upper().translate(LOOK_ALIKES)


def _check_character(six: str) -> str:
    total = sum((place + 2) * ALPHABET.index(char) for place, char in enumerate(six))
    return ALPHABET[total % len(ALPHABET)]


def _has_its_shape(text: str, fewest: int = FEWEST_OF_A_KIND) -> bool:
    n_digits = sum(char in "0123456789" for char in text)
    return len(text) == LENGTH and n_digits >= fewest and LENGTH - n_digits >= fewest


def _runs(text: str, prefixes: Iterable[str]) -> Iterator[str]:
    """Stretches of seven characters that may be a code: whole words put together, or what follows a prefix."""
    words = _WORD.findall(plain(text))
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    joined, edges = "".join(words), set(starts)
    for start in starts:
        if start + LENGTH in edges:
            yield joined[start : start + LENGTH]
    for prefix in prefixes:
        for found in re.finditer(f"(?={re.escape(prefix)}([A-Z0-9]{{{LENGTH}}}))", joined):
            yield found.group(1)


def _mended(run: str) -> Iterable[str]:
    swapped = (run[:i] + b + a + run[i + 2 :] for i, (a, b) in enumerate(pairwise(run)) if a != b)
    replaced = (run[:i] + char + run[i + 1 :] for i in range(LENGTH) for char in ALPHABET)
    return (body for body in (*swapped, *replaced) if is_body(body))
