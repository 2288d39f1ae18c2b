"""Fills the demo's newsroom: an editor, topics at every stage, a poll that was counted, one ready to be opened,
and mistakes that readers saw in the article.

Everything goes through the same services as in life, with the clock set back for what happened earlier. The readers
who voted have coverage that has ended since, so that the demo begins with nobody among the patrons and no money in
the books. Nobody is written to about what happened before the demo began.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select, update

from membership.accounts import services as accounts
from membership.accounts.models import StaffMember
from membership.accounts.rules import Role
from membership.corrections import services as corrections
from membership.corrections.queries import known_origins
from membership.corrections.rules import clean_article, clean_report
from membership.db import db, follow_movable_clock, transaction
from membership.front.seed_appeal import run_appeal
from membership.kernel import clock
from membership.mail.models import Broadcast
from membership.newsroom.queries import newsroom
from membership.patrons import services as patrons
from membership.patrons.rules import Cause
from membership.polls import services as polls
from membership.polls.rules.drafts import PollFields
from membership.topics import services as topics
from membership.web import settings

EDITOR = "editor@example.org"
N_VOTERS = 24


@dataclass(frozen=True, slots=True)
class Idea:
    """A topic of the demo, written by the newsroom itself."""

    title: str
    why: str
    locale: str = "en"
    hours: int = 40


COUNTED = (
    Idea(
        "Where do the dredging contracts go?",
        "Three firms win nearly every tender for the harbour basin. Who are they, and who decides?",
        hours=60,
    ),
    Idea(
        "Why the night bus stopped running",
        "Line 9 was cut in spring. People who work nights in the port walk home now.",
        hours=25,
    ),
    Idea("Who owns the empty flats on Mill Lane", "Forty windows, no lights. Rents around them rise every year."),
    Idea("What the new school will really cost", "The sum in the council minutes has changed four times.", hours=30),
    Idea("How clean is the river below the port?", "The last public measurement is from three summers ago.", hours=80),
    Idea("Why the market hall stays closed", "It was to open again in March. The stallholders still wait.", hours=20),
)
# Topics ticked, by their place above, one entry per voter; an empty one is a blank ballot.
TICKS: tuple[tuple[int, ...], ...] = (
    (0, 4), (0, 4), (0, 1, 4), (0, 3), (0, 4), (1,), (1, 5), (1, 2), (2, 3), (0, 4, 5), (4,), (0, 4),
    (1, 3), (5,), (0, 1), (2,), (0, 4), (1, 2, 5), (0, 3), (4, 5), (1,), (0, 2), (), (3,),
)  # fmt: skip
OPEN = (
    Idea(
        "What became of the flood money",
        "Twelve million came after the flood. Half of the quay wall is still a fence.",
        hours=70,
    ),
    Idea(
        "Хто вирішує, де саджати дерева",
        "На набережній зрубали тридцять лип. Нові посадили за містом. Хто це вирішив і чому?",
        locale="uk",
        hours=30,
    ),
    Idea(
        "Who pays for the stadium",
        "The club says sponsors, the budget says otherwise. We would read both sets of papers.",
        hours=50,
    ),
    Idea("How long people wait for the doctor", "We would ring every practice in town and write down what they say."),
)
WAITING = Idea(
    "Where the dredging contracts have gone",
    "Somebody should look at who digs out the harbour, and at what price.",
)

COUNTED_HEADLINE = "Three firms, one harbour, and who signs"
# What readers marked in the demo's article, with what stands before and after it, and what they wrote.
CORRECTED = (
    "all 72 invoices",
    "We read the contract, ",
    " and the surveys of the seabed",
    "You write 27 further down.",
)
FIXED = ("We read the contract, all 72 invoices", "We read the contract, all 27 invoices")
REPORTED = (
    (
        "In the spring of 2022 the council voted",
        "It was meant to be different. ",
        ", nineteen to two, to spend €4.2 million on deepening",
        "The vote was on 3 March: winter still.",
    ),
    (
        "the spring of 2022",
        "It was meant to be different. In ",
        " the council voted, nineteen to two, to spend €4.2 million",
        "March 2022, to be exact.",
    ),
    (
        "nineteen to two",
        "In the spring of 2022 the council voted, ",
        ", to spend €4.2 million on deepening",
        "",
    ),
)


def seed(app: Flask) -> None:
    """Fill an empty newsroom; one that has staff is left as it is."""
    if db.session.scalar(select(StaffMember.person_id).limit(1)) is not None:
        return
    now = clock.now()
    try:
        with _at(now - timedelta(days=44)):
            editor = accounts.appoint(EDITOR, Role.OWNER, newsroom().name, "en", clock.now()).id
            counted = [_shortlisted(idea, editor) for idea in COUNTED]
            voters = [_reader(number) for number in range(1, N_VOTERS + 1)]
        _counted_poll(counted, voters, editor, now)
        _what_became_of_it(counted, editor, now)
        with _at(now - timedelta(days=6)):
            ready = [_shortlisted(idea, editor) for idea in OPEN]
        with _at(now - timedelta(days=1)):
            topics.propose(None, WAITING.title, WAITING.why, [], WAITING.locale, clock.now())
        _poll_to_open([*counted[2:], *ready], editor, now)
        _mistakes(editor, now)
        with _at(now - timedelta(days=2)):
            run_appeal(editor)
        _tell_nobody()
    finally:
        follow_movable_clock(app)


@contextmanager
def _at(moment: datetime) -> Iterator[None]:
    """Let the clock of this process show `moment`, and real time again afterwards."""
    behind = clock.real_now() - moment
    clock.use_offset(lambda: -behind)
    try:
        yield
    finally:
        clock.use_offset(clock.no_offset)


def _shortlisted(idea: Idea, editor: int) -> int:
    topic = topics.propose(None, idea.title, idea.why, [], idea.locale, clock.now())
    topics.edit(topic.id, idea.title, idea.why, idea.hours, editor)
    topics.shortlist(topic.id, editor, is_told=False)
    return topic.id


def _reader(number: int) -> int:
    """Somebody who is a patron for some months, by courtesy of the newsroom."""
    at = clock.now()
    with transaction("front.seed"):
        person = accounts.ensure_person(f"reader-{number}@example.org", "en", at)
        patrons.grant_period(
            person.id,
            Cause.COMP,
            f"comp:demo:{number}",
            paid_at=at,
            starts_at=at,
            ends_at=at + timedelta(days=150),
        )
    return person.id


def _counted_poll(topic_ids: list[int], voters: list[int], editor: int, now: datetime) -> None:
    opens_at, closes_at = now - timedelta(days=40), now - timedelta(days=33)
    with _at(opens_at):
        poll = polls.draft(
            PollFields(
                title="What should we look into this winter?",
                intro="Two of these we can do well before spring. Tick all that you would like to read.",
                locale="en",
                rule="spav",
                n_seats=2,
                opens_at=opens_at,
                closes_at=closes_at,
                topic_ids=tuple(topic_ids),
                eligibility="covered",
                publish_from=20,
            ),
            editor,
        )
        poll_id = poll.id
        polls.open_poll(poll_id, editor, clock.now())
    with _at(opens_at + timedelta(days=2)):
        for voter, ticks in zip(voters, TICKS, strict=True):
            polls.cast(poll_id, voter, ticks, clock.now())
    with _at(closes_at):
        polls.close(poll_id, clock.now())
        polls.wipe(poll_id, clock.now())


def _what_became_of_it(counted: list[int], editor: int, now: datetime) -> None:
    """The first choice is published, the second one is being worked on."""
    with _at(now - timedelta(days=31)):
        for topic_id, n_days in ((counted[0], 20), (counted[1], 12)):
            topics.assign(topic_id, editor, (now + timedelta(days=n_days - 31)).date(), editor)
    with _at(now - timedelta(days=10)):
        topics.publish(counted[0], f"{settings().public_url}/demo/article", COUNTED_HEADLINE, editor)
    with _at(now - timedelta(days=8)):
        topics.assign(counted[1], editor, (now + timedelta(days=12)).date(), editor)
        topics.update(counted[1], "We have nine years of timetables and are talking to two former planners.", editor)
        for topic_id in counted[2:]:
            topics.back_to_shortlist(topic_id, "It missed in the winter poll and stays on the list.", editor)


def _poll_to_open(topic_ids: list[int], editor: int, now: datetime) -> None:
    polls.draft(
        PollFields(
            title="What should we cover next?",
            intro="We have the time for two of these before summer. Tick all that you would like to read.",
            locale="en",
            rule="spav",
            n_seats=2,
            opens_at=now,
            closes_at=now + timedelta(days=14),
            topic_ids=tuple(topic_ids),
            joined_before=now + timedelta(days=365),
        ),
        editor,
    )


def _mistakes(editor: int, now: datetime) -> None:
    """One that was corrected, and two passages that wait, of which one was reported twice."""
    article = clean_article(f"{settings().public_url}/demo/article", known_origins())
    with _at(now - timedelta(days=9)):
        reported = corrections.report(article, clean_report(*CORRECTED), None, "en", "embed", clock.now())
    with _at(now - timedelta(days=8)):
        corrections.fix(reported.passage_id, *FIXED, COUNTED_HEADLINE, "", editor)
    for number, said in enumerate(REPORTED):
        with _at(now - timedelta(days=3 - number)):
            corrections.report(article, clean_report(*said), None, "en", "embed", clock.now())


def _tell_nobody() -> None:
    with transaction("front.seed"):
        db.session.execute(update(Broadcast).where(Broadcast.done_at.is_(None)).values(done_at=clock.real_now()))
