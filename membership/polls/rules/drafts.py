"""What a poll may be: the fields that staff fill in, and what is refused before it is written down."""

from dataclasses import dataclass
from datetime import datetime

from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line, paragraphs
from membership.polls.counting import RULES

SHORTEST_TITLE, LONGEST_TITLE, LONGEST_INTRO = 3, 120, 1500
MOST_OPTIONS = 30
FEWEST_OPTIONS = 2
RANKS = range(3, 11)
LEAST_PUBLISHED, MOST_PUBLISHED = 5, 1_000_000_000
MOST_HOURS = 100_000
ELIGIBILITIES = ("paid", "covered")


@dataclass(frozen=True, slots=True)
class PollFields:
    """A poll as staff fill it in; see `models.Poll` for what each means. `topic_ids` are its options in their order.

    `joined_before` None: until it opens.
    """

    title: str
    intro: str
    locale: str
    rule: str
    n_seats: int
    opens_at: datetime
    closes_at: datetime
    topic_ids: tuple[int, ...]
    max_ranks: int = 5
    budget_hours: int | None = None
    eligibility: str = "paid"
    joined_before: datetime | None = None
    publish_from: int | None = None


def clean_fields(fields: PollFields) -> dict[str, object]:
    """The columns of a poll; raises InvalidInput naming the field that cannot be so."""
    title, intro = one_line(fields.title), paragraphs(fields.intro)
    for is_wrong, code, words, field in (
        (
            not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE,
            "poll_title",
            "A poll needs a title of 3 to 120 characters.",
            "title",
        ),
        (len(intro) > LONGEST_INTRO, "poll_intro", "The text above the ballot has at most 1,500 characters.", "intro"),
        (fields.rule not in RULES, "poll_rule", "There is no such way of counting.", "rule"),
        (
            fields.closes_at <= fields.opens_at,
            "poll_dates",
            "A poll closes after it opens.",
            "closes_at",
        ),
        (
            len(set(fields.topic_ids)) != len(fields.topic_ids)
            or not FEWEST_OPTIONS <= len(fields.topic_ids) <= MOST_OPTIONS,
            "poll_options",
            "A poll has 2 to 30 topics, each once.",
            "topic_ids",
        ),
        (
            not 1 <= fields.n_seats <= len(fields.topic_ids),
            "poll_seats",
            "At least one topic is chosen, and no more than there are.",
            "n_seats",
        ),
        (fields.max_ranks not in RANKS, "poll_ranks", "A ballot names 3 to 10 places.", "max_ranks"),
        (
            fields.rule == "equal-shares" and not 1 <= (fields.budget_hours or 0) <= MOST_HOURS,
            "poll_budget",
            "To share the newsroom's time, say how many hours there are.",
            "budget_hours",
        ),
        (fields.eligibility not in ELIGIBILITIES, "poll_eligibility", "There is no such roll.", "eligibility"),
        (
            fields.publish_from is not None and not LEAST_PUBLISHED <= fields.publish_from <= MOST_PUBLISHED,
            "poll_publish_from",
            "Ballots are published from 5 voters on, or not at all.",
            "publish_from",
        ),
    ):
        if is_wrong:
            raise InvalidInput(code, words, field=field)
    return {
        "title": title,
        "intro": intro,
        "locale": fields.locale,
        "rule": fields.rule,
        "n_seats": fields.n_seats,
        "max_ranks": fields.max_ranks,
        "budget_hours": fields.budget_hours if fields.rule == "equal-shares" else None,
        "opens_at": fields.opens_at,
        "closes_at": fields.closes_at,
        "eligibility": fields.eligibility,
        "joined_before": fields.joined_before or fields.opens_at,
        "publish_from": fields.publish_from,
    }
