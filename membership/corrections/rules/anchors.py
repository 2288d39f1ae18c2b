"""Whether two readers mean the same passage of an article. Pure functions of values.

A passage is known by its own words and by those before and after it (a text quote, as in the Web Annotation model of
the W3C): no place in a page outlives an edit. The words of both are laid beside each other; they are the same passage
where what was marked lies at the same place in what both have.
"""

import unicodedata
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz.distance import LCSseq

from membership.topics.rules import plain

# Words that follow each other in both are evidence; one alone ("the") may stand anywhere.
SHORTEST_RUN = 2
# So many words in such runs show that both readers look at the same sentences …
ENOUGH = 6
# … or all there are but this share, where somebody marked less than that and no more is known.
NEARLY_ALL = 0.75
# From so many words on, what was marked is known without anything around it; shorter, it has to be the very same.
LONG_QUOTE = 4
# How far the words next to a passage may be from it where it was mended between the two reports.
NEIGHBOURHOOD = 2
NEIGHBOURS = 3


@dataclass(frozen=True)
class Anchor:
    """The words that were marked, those before and those after them, each on one line and "" where unknown."""

    quote: str
    prefix: str = ""
    suffix: str = ""

    @cached_property
    def words(self) -> tuple[list[str], int, int]:
        """All words, folded, and where those that were marked begin and end among them."""
        before, marked, after = (_words(part) for part in (self.prefix, self.quote, self.suffix))
        return [*before, *marked, *after], len(before), len(before) + len(marked)


@dataclass(frozen=True, slots=True)
class _Side:
    """Of `n` words those from `start` to `end` were marked."""

    start: int
    end: int
    n: int

    @property
    def is_bare(self) -> bool:
        """Whether nothing is known of what stands around it."""
        return self.end - self.start == self.n


def is_same_passage(one: Anchor, other: Anchor) -> bool:
    """Whether two reports of one article are about the same passage. It is the same for (a, b) and (b, a); a report
    that marks nothing is like no other.
    """
    if not one.quote or not other.quote:
        return False
    one, other = sorted((one, other), key=lambda anchor: (anchor.quote, anchor.prefix, anchor.suffix))
    (words, *ends), (other_words, *other_ends) = one.words, other.words
    here, there = _Side(ends[0], ends[1], len(words)), _Side(other_ends[0], other_ends[1], len(other_words))
    if here.end - here.start >= LONG_QUOTE and words[here.start : here.end] == other_words[there.start : there.end]:
        return True
    pairs = _pairs(words, other_words)
    return _overlap(pairs, here, there) or _are_mended(pairs, here, there)


def _pairs(words: list[str], others: list[str]) -> dict[int, int]:
    """Which word of the one is which of the other, by runs of at least `SHORTEST_RUN`; a lone word where it is all."""
    least = min(SHORTEST_RUN, len(words), len(others))
    found: dict[int, int] = {}
    run: list[tuple[int, int]] = []
    blocks = LCSseq.opcodes(words, others)
    matched = [
        (block.src_start + n, block.dest_start + n)
        for block in blocks
        if block.tag == "equal"
        for n in range(block.src_end - block.src_start)
    ]
    for place, pair in enumerate(matched):
        run.append(pair)
        follows = place + 1 < len(matched) and matched[place + 1] == (pair[0] + 1, pair[1] + 1)
        if not follows:
            found |= dict(run) if len(run) >= least else {}
            run = []
    return found


def _overlap(pairs: dict[int, int], here: _Side, there: _Side) -> bool:
    """What was marked lies, for half of the shorter one at least, at the same place of the same sentences."""
    n_shorter = min(here.end - here.start, there.end - there.start)
    n_common = sum(1 for at in range(here.start, here.end) if there.start <= pairs.get(at, -1) < there.end)
    if not n_shorter or 2 * n_common < n_shorter:
        return False
    if here.is_bare or there.is_bare:
        if n_shorter < LONG_QUOTE:
            return n_common == here.end - here.start == there.end - there.start
        return n_common >= NEARLY_ALL * n_shorter
    return len(pairs) >= min(ENOUGH, NEARLY_ALL * min(here.n, there.n))


def _are_mended(pairs: dict[int, int], here: _Side, there: _Side) -> bool:
    """What was marked reads otherwise in the two, and stands between the same words."""
    before = [at for at in pairs if at < here.start and pairs[at] < there.start]
    after = [at for at in pairs if at >= here.end and pairs[at] >= there.end]
    if len(before) < NEIGHBOURS or len(after) < NEIGHBOURS:
        return False
    last, first = max(before), min(after)
    if _strays(pairs, here, there):
        return False
    gaps = (here.start - last - 1, there.start - pairs[last] - 1, first - here.end, pairs[first] - there.end)
    return max(gaps) < NEIGHBOURHOOD


def _strays(pairs: dict[int, int], here: _Side, there: _Side) -> bool:
    """Whether a word that was marked in one of them stands in the other as well, beside what was marked there."""
    return any((here.start <= at < here.end) != (there.start <= other < there.end) for at, other in pairs.items())


def split_context(quote: str, context: str) -> tuple[str, str]:
    """What stands before and after `quote` in the sentence that somebody copied: both "" where it does not hold it."""
    before, found, after = context.partition(quote) if quote else ("", "", "")
    return (before, after) if found else ("", "")


def _words(text: str) -> list[str]:
    """Its words, folded; marks alone where there is no word, so that a wrong comma is found again."""
    folded = plain(text).split()
    return folded or [ch for ch in unicodedata.normalize("NFKC", text) if not ch.isspace()]
