"""What the newsroom does in its year: polls among patrons, stories on what they chose, asks at the foot of articles."""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from membership.accounts.models import Person
from membership.corrections import services as corrections
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Refused
from membership.polls import services as polls
from membership.topics import services as topics
from tests.factories.corrections import make_report
from tests.factories.polls import make_topics
from tests.faults.lives.hours import BEGINNING
from tests.faults.lives.world import DESK
from tests.year.place import DAY, Place, day_at
from tests.year.rows import moment_of, times_of

# The days, from the beginning, on which a poll is opened; another one is closed before.
OPENS_ON = (60, 130, 230)
# Every so many days a reader reports a mistake; it is answered after so many days, or is spam, or waits for ever.
REPORTS_EVERY = 9
ANSWERED_AFTER = (2, 8, None, 5, 7)
LASTS = 7
STANDS = 90
"""So many days after the close it is counted who is still a patron."""

# Where asks stand; the stories that members chose are the first of these, one at which nobody gave, and the third.
ARTICLES = ("night-bus", "harbour", "schools", "")
SECTIONS = ("city", "money", "")
CAMPAIGNS = ("spring", "")
STORIES = (
    "https://www.example.org/news/night-bus.html",
    "https://example.org/2027/flood-money",
    "https://example.org/schools/",
)


class Stayed(NamedTuple):
    """Who was a patron some time after a poll, of those who voted and of the others: how many of how many."""

    n_voters: int
    voters_stayed: int
    n_others: int
    others_stayed: int


def attribution_of(number: int) -> dict[str, str]:
    """By which article, section and campaign a member came: some by all of them, some by none."""
    found = {
        "article": ARTICLES[number % len(ARTICLES)],
        "section": SECTIONS[number % len(SECTIONS)],
        "utm_campaign": CAMPAIGNS[number // 3 % len(CAMPAIGNS)],
    }
    return {key: name for key, name in found.items() if name}


class Newsroom:
    """Its polls by the order in which they were opened; `stayed`: poll -> what the rows said when it was counted."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._polls: list[int] = []
        self._reports: dict[int, int] = {}
        self.stayed: dict[int, Stayed] = {}

    def live_a_day(self, day) -> None:
        """Whatever is planned for the first moment of a day."""
        n_day = (day - day_at(BEGINNING)).days
        for number, opens_on in enumerate(OPENS_ON):
            since = n_day - opens_on
            if since == 0:
                self._open(number)
            elif since == 1:
                self._vote(number)
            elif since == LASTS + 1:
                self._place.work("polls.close_due", "polls.wipe")
            elif since == LASTS + 2:
                self._take_up(number)
            elif since == LASTS + 30:
                self._publish(number)
        self._correct(n_day)
        self._place.work("dashboard.freeze_stays")
        self._look_who_stays()

    def _correct(self, n_day: int) -> None:
        """A report comes in, or one is answered: corrected, declined or thrown away in turns."""
        if n_day % REPORTS_EVERY == 0:
            quote = f"sentence {n_day} of them all"
            self._reports[n_day] = self._place.ask_us(lambda: make_report(quote, prefix="", suffix="").passage_id)
        for came_on, passage_id in self._reports.items():
            number = came_on // REPORTS_EVERY
            if ANSWERED_AFTER[number % len(ANSWERED_AFTER)] == n_day - came_on:
                self._place.ask_us(lambda number=number, passage=passage_id: _answer(number, passage))

    def _open(self, number: int) -> None:
        def open_poll():
            now = clock.now()
            fields = polls.PollFields(
                title=f"What shall we look into? ({number})", intro="Tick what you would like to read about.",
                locale="en", rule="spav", n_seats=2, opens_at=now, closes_at=now + timedelta(days=LASTS),
                topic_ids=tuple(make_topics()),
            )  # fmt: skip
            return polls.open_poll(polls.draft(fields).id, None, now).id

        self._polls.append(self._place.ask_us(open_poll))

    def _vote(self, number: int) -> None:
        """Two of three who may; who may no longer is refused, and has not voted."""
        poll_id = self._polls[number]
        for (person_id,) in self._place.rows("SELECT person_id FROM roll_entries WHERE poll_id = :p", p=poll_id):
            if person_id % 3:
                choice = [person_id % 4, (person_id + 1) % 4]
                with suppress(Refused):  # their payment went back overnight
                    self._place.ask_us(lambda who=person_id, what=choice: polls.cast(poll_id, who, what, clock.now()))

    def _chosen(self, number: int) -> list[int]:
        of_poll = "SELECT t.id FROM topics t JOIN poll_options o ON o.topic_id = t.id WHERE o.poll_id = :p"
        rows = self._place.rows(f"{of_poll} AND t.chosen_at IS NOT NULL ORDER BY t.id", p=self._polls[number])
        return [topic_id for (topic_id,) in rows]

    def _take_up(self, number: int) -> None:
        desk = db.session.query(Person).filter_by(email=DESK).one().id
        due_on = day_at(clock.now()) + 60 * DAY
        for topic_id in self._chosen(number):
            self._place.ask_us(lambda topic=topic_id: topics.assign(topic, desk, due_on, desk))

    def _publish(self, number: int) -> None:
        """The first story is out. The second one of the second poll is dropped, the others are late in the end."""
        first, second = self._chosen(number)
        self._place.ask_us(lambda: topics.publish(first, STORIES[number], "What we found", None))
        if number == 1:
            self._place.ask_us(lambda: topics.drop(second, "Somebody else has told it.", None))

    def _look_who_stays(self) -> None:
        """As the rows are on the day of the count: what goes back later changes coverage backwards."""
        for poll_id, closed_at in self._place.rows("SELECT id, closed_at FROM polls WHERE state = 'closed'"):
            at = moment_of(closed_at) + STANDS * DAY
            if poll_id not in self.stayed and at <= clock.now():
                self.stayed[poll_id] = self._count(poll_id, at)

    def _count(self, poll_id: int, at) -> Stayed:
        roll = self._place.rows("SELECT person_id, has_voted FROM roll_entries WHERE poll_id = :p", p=poll_id)
        patrons = {person_id for person_id, start, end in times_of(self._place) if start <= at < end}
        voters = {person_id for person_id, has_voted in roll if has_voted}
        others = {person_id for person_id, _ in roll} - voters
        return Stayed(len(voters), len(voters & patrons), len(others), len(others & patrons))


def _answer(number: int, passage_id: int) -> None:
    if number % 4 == 3:
        corrections.mark_spam(passage_id, None)
    elif number % 2:
        corrections.decline(passage_id, "It is as we wrote.", None)
    else:
        corrections.fix(passage_id, "two ferries", "three ferries", "The harbour", "Well read.", None)
