"""The life of a topic, what may be typed about it, and what counts as nearly the same. Pure functions of values."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from statistics import median
from urllib.parse import urlsplit

from rapidfuzz import fuzz, process

from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line, paragraphs

SHORTEST_TITLE = 8
LONGEST_TITLE = 120
LONGEST_WHY = 1500
LONGEST_WORDS = 2000
LONGEST_ADDRESS = 500
LONGEST_STORY_TITLE = 200
MOST_LINKS = 5
MOST_HOURS = 2000


class Stage(StrEnum):
    """Where a topic stands (product.md section 4)."""

    PROPOSED = "proposed"
    SHORTLISTED = "shortlisted"
    ON_BALLOT = "on_ballot"
    CHOSEN = "chosen"
    REPORTING = "reporting"
    PUBLISHED = "published"
    DECLINED = "declined"
    NOT_CHOSEN = "not_chosen"
    MERGED = "merged"
    DROPPED = "dropped"


# From each stage, where staff or a poll may take a topic. Every stage has a way out, so that nothing done by
# mistake is for ever; merged topics go back to where they came from.
NEXT: Mapping[Stage, frozenset[Stage]] = {
    Stage.PROPOSED: frozenset({Stage.SHORTLISTED, Stage.DECLINED, Stage.MERGED}),
    Stage.SHORTLISTED: frozenset({Stage.ON_BALLOT, Stage.DECLINED, Stage.MERGED}),
    # Back to the shortlist when the poll is cancelled.
    Stage.ON_BALLOT: frozenset({Stage.CHOSEN, Stage.NOT_CHOSEN, Stage.SHORTLISTED}),
    Stage.CHOSEN: frozenset({Stage.REPORTING, Stage.PUBLISHED, Stage.DROPPED}),
    Stage.REPORTING: frozenset({Stage.PUBLISHED, Stage.DROPPED}),
    # Taken back where the wrong topic or a wrong story was named.
    Stage.PUBLISHED: frozenset({Stage.REPORTING}),
    Stage.DECLINED: frozenset({Stage.SHORTLISTED}),
    # Chosen after all where the editor skips a winner and this one moves up; on the next ballot where it stays.
    Stage.NOT_CHOSEN: frozenset({Stage.CHOSEN, Stage.ON_BALLOT, Stage.SHORTLISTED, Stage.DECLINED, Stage.MERGED}),
    Stage.MERGED: frozenset({Stage.PROPOSED, Stage.SHORTLISTED, Stage.NOT_CHOSEN}),
    Stage.DROPPED: frozenset({Stage.SHORTLISTED}),
}
# Everybody may read a topic once staff have looked at it.
PUBLIC = frozenset(Stage) - {Stage.PROPOSED}
# What a new proposal is compared with: everything that is still to be done (decision 23).
OPEN = frozenset({Stage.PROPOSED, Stage.SHORTLISTED, Stage.ON_BALLOT, Stage.NOT_CHOSEN, Stage.CHOSEN, Stage.REPORTING})
# What another topic may be merged into: not what is over, and not what readers cannot see.
MERGE_TARGETS = OPEN & PUBLIC
# Words and hours may still change: nobody has voted on them.
EDITABLE = frozenset({Stage.PROPOSED, Stage.SHORTLISTED, Stage.NOT_CHOSEN})
IN_WORK = frozenset({Stage.CHOSEN, Stage.REPORTING})
# The life of a topic that goes well, for the line of stages.
WAY = (
    Stage.PROPOSED, Stage.SHORTLISTED, Stage.ON_BALLOT, Stage.CHOSEN, Stage.REPORTING, Stage.PUBLISHED,
)  # fmt: skip

# What an event may be besides a stage: back from a merger, news of the work, another reporter, other words.
UNMERGED, UPDATE, OWNER, EDITED = "unmerged", "update", "owner", "edited"
EVENT_KINDS = frozenset(stage.value for stage in Stage) | {UNMERGED, UPDATE, OWNER, EDITED}

# The shelves of the public list, by their names in addresses.
SHELVES: Mapping[str, frozenset[Stage]] = {
    "open": frozenset({Stage.SHORTLISTED, Stage.ON_BALLOT, Stage.NOT_CHOSEN, Stage.CHOSEN, Stage.REPORTING}),
    "waiting": frozenset({Stage.SHORTLISTED, Stage.NOT_CHOSEN}),
    "ballot": frozenset({Stage.ON_BALLOT}),
    "work": IN_WORK,
    "published": frozenset({Stage.PUBLISHED}),
    "closed": frozenset({Stage.DECLINED, Stage.DROPPED}),
}


def may_become(now: Stage, then: Stage) -> bool:
    """Whether a topic may go from `now` to `then`; staying is no move."""
    return then in NEXT[now]


@dataclass(frozen=True, slots=True)
class Step:
    """One stage in the line of a topic's life: `state` is "done", "now" or "ahead"; `at` when it got there."""

    stage: Stage
    state: str
    at: datetime | None


def life(now: Stage, moves: Iterable[tuple[str, datetime]]) -> list[Step]:
    """The line of stages of a topic that stands at `now`; `moves` are its events (kind, moment), oldest first.

    On the way it shows the whole way, with what lies ahead. Where it has left the way (declined, dropped, not chosen,
    merged) it shows what it went through, and how it ended.
    """
    reached = {kind: at for kind, at in moves if kind in set(Stage)}
    if now in WAY:
        place = WAY.index(now)
        states = ["done"] * place + ["now"] + ["ahead"] * (len(WAY) - place - 1)
        return [
            Step(stage, state, None if state == "ahead" else reached.get(stage))
            for stage, state in zip(WAY, states, strict=True)
        ]
    passed = [Step(stage, "done", reached[stage]) for stage in WAY if stage in reached]
    return [*passed, Step(now, "now", reached.get(now))]


# What is typed ------------------------------------------------------------------------------------------


def clean_title(text: str) -> str:
    """A title of one line, 8 to 120 characters; InvalidInput for anything else."""
    title = one_line(text)
    if len(title) < SHORTEST_TITLE:
        raise InvalidInput("title_too_short", "Please give it a title that says what it is about.", field="title")
    if len(title) > LONGEST_TITLE:
        raise InvalidInput("title_too_long", "Please use at most 120 characters for the title.", field="title")
    return title


def clean_why(text: str) -> str:
    """Why it matters: paragraphs of 1 to 1,500 characters in all; InvalidInput for anything else."""
    why = paragraphs(text)
    if not why:
        raise InvalidInput("why_missing", "Please say why it matters.", field="why")
    if len(why) > LONGEST_WHY:
        raise InvalidInput("why_too_long", "Please use at most 1,500 characters here.", field="why")
    return why


def clean_words(text: str, field: str) -> str:
    """What staff say in public: 1 to 2,000 characters; InvalidInput naming `field` for anything else."""
    words = paragraphs(text)
    if not words:
        raise InvalidInput("words_missing", "Please say it in words: readers will see this.", field=field)
    if len(words) > LONGEST_WORDS:
        raise InvalidInput("words_too_long", "Please use at most 2,000 characters here.", field=field)
    return words


def clean_story_title(text: str) -> str:
    """The headline of a story: one line of 1 to 200 characters; InvalidInput for anything else."""
    title = one_line(text)
    if not title:
        raise InvalidInput("headline_missing", "Please type the headline of the story.", field="story_title")
    if len(title) > LONGEST_STORY_TITLE:
        raise InvalidInput("headline_too_long", "Please use at most 200 characters.", field="story_title")
    return title


def clean_address(text: str, field: str) -> str:
    """A web address that may be linked: http or https, a real host, no password; InvalidInput naming `field`."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_good = parts.scheme in {"http", "https"} and parts.username is None and _is_host(host)
        is_good = is_good and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good = False
    if not is_good or not address.isprintable() or any(ch in address for ch in ' \\"<>`{}|^'):
        raise InvalidInput("not_an_address", "This is no web address: it should begin with https://.", field=field)
    if len(address) > LONGEST_ADDRESS:
        raise InvalidInput("address_too_long", "This address is too long.", field=field)
    return address


def _is_host(host: str) -> bool:
    return "." in host.strip(".") and ".." not in host and any(ch.isalnum() for ch in host)


def clean_links(text: str) -> list[str]:
    """The addresses typed one to a line, each once, in that order, at most five; InvalidInput otherwise."""
    links = [clean_address(line, "links") for line in text.splitlines() if line.strip()]
    links = list(dict.fromkeys(links))
    if len(links) > MOST_LINKS:
        raise InvalidInput("too_many_links", "Please name at most five links.", field="links")
    return links


def clean_hours(hours: int | None) -> int | None:
    """Hours of reporting, 1 to 2,000, or None for not guessed; InvalidInput for anything else."""
    if hours is not None and not 1 <= hours <= MOST_HOURS:
        raise InvalidInput("hours_out_of_range", "Please type whole hours, from 1 to 2,000.", field="hours")
    return hours


def check_due_day(day: date, today: date, known: date | None) -> date:
    """A day on which a story may be due: not over yet, unless it was named before; InvalidInput for another."""
    if day < today and day != known:
        raise InvalidInput("due_over", "This day is over. Please choose one that is still ahead.", field="due_on")
    return day


# What is nearly the same --------------------------------------------------------------------------------

# Small Cyrillic letters that look like Latin ones, as small letters or as capitals: whoever types across two
# keyboards means the same word. Both alphabets are folded alike, so only equality matters.
LOOKALIKES = str.maketrans("авекмнорстухіјѕґ", "abekmhopctyxijsг")
APOSTROPHES = frozenset("'’ʼ`‘")
# From this score (0 to 100) on, two titles are shown as near-duplicates. Tried on titles in both languages:
# the same matter in other words scores 60 to 100, other matters mostly under 50.
SIMILAR_FROM = 60
# A title whose words all stand in the other one need not mean the same: its score counts a little less.
SUBSET_WEIGHT = 0.9


def plain(text: str) -> str:
    """`text` folded for searching and comparing: small letters, no accents, look-alikes and apostrophes gone,
    single spaces. Stored with each topic: who changes this must fold the stored ones again.
    """
    bare = (
        ch
        for ch in unicodedata.normalize("NFKD", text).casefold()
        if unicodedata.category(ch) not in {"Mn", "Cf"} and ch not in APOSTROPHES
    )
    spaced = "".join(ch if ch.isalnum() else " " for ch in "".join(bare).translate(LOOKALIKES))
    return " ".join(spaced.split())


# Words that say nothing about a topic, in English and Ukrainian.
SILENT_WORDS = frozenset(
    plain(
        "a an and are at by do does did for from how in is it its of off on or our the their they this to up was we "
        "what when where which who whose why will with "
        "а або але без в від для до є з за зі і й із його їх й на не по при про та так те у це чи чого чому що "
        "щоб як яка який яке які хто де коли куди скільки ми ви вони"
    ).split()
)


def significant(folded: str) -> str:
    """The words of a `plain` title that say what it is about; all of them where none would be left."""
    return " ".join(word for word in folded.split() if word not in SILENT_WORDS) or folded


def rank_similar(folded: str, others: Sequence[str], limit: int) -> list[tuple[int, int]]:
    """Which of `others` (each `significant`) are near-duplicates of `folded` (the same): (position, score from 60
    to 100), the closest first, at most `limit`. Order of words and small endings do not matter.
    """
    if not folded:
        return []
    scores: dict[int, float] = {}
    scorers = ((fuzz.token_sort_ratio, 1.0), (fuzz.token_set_ratio, SUBSET_WEIGHT))
    for scorer, weight in scorers:
        found = process.extract(folded, others, scorer=scorer, score_cutoff=SIMILAR_FROM / weight, limit=limit)
        for _, score, position in found:
            scores[position] = max(scores.get(position, 0), score * weight)
    closest = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(position, round(score)) for position, score in closest[:limit]]


# The promise --------------------------------------------------------------------------------------------


def median_days(spans: Iterable[tuple[datetime, datetime]]) -> int | None:
    """The median of the days from poll to story, in whole days; None where there is no story yet."""
    days = [(end - start).total_seconds() / 86400 for start, end in spans]
    return round(median(days)) if days else None
