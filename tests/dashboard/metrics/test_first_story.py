"""Which story brought the first gift, counted by hand."""

from decimal import Decimal

import pytest
import time_machine

from membership import wiring
from membership.billing.books import WHOLE
from membership.dashboard import checks
from membership.db import transaction
from tests.dashboard.conftest import NOW, kyiv
from tests.factories.money import make_giver
from tests.factories.people import make_staff
from tests.factories.starts import begin, pay_for
from tests.factories.topics import STORY, make_topic_at

pytestmark = pytest.mark.usefixtures("app")
NOVEMBER = ("2026-11-01", "2026-11-18")
CHOSEN, OTHERS, NONE = "Stories that members chose", "Stories that nobody voted on", "Without a story"


def gift(day: int, person_id: int | None = None, **attribution) -> int:
    """Somebody (else) gives on a day of November, by way of an article; who."""
    person_id = person_id or make_giver(NOW)
    at = kyiv(f"2026-11-{day:02} 10:00")
    pay_for(begin(at, **attribution), at, person_id)
    return person_id


def publish() -> None:
    """A poll chose a topic, and its story stands at https://example.org/dredging."""
    with time_machine.travel(NOW, tick=False):
        make_topic_at("published", owner=make_staff())
    assert STORY[0] == "https://example.org/dredging"


def counted(result) -> dict:
    return {row[0]: row[1:3] for row in result.table.rows}


def test_first_gifts_by_story_and_whether_members_chose_it(ask):
    publish()
    gift(2, article="dredging")
    gift(3, article="https://www.example.org/dredging/?utm_source=letter")
    gift(4, article="school")
    gift(5)
    result = ask("first-story", *NOVEMBER)
    assert counted(result) == {
        CHOSEN: ("Yes", 2),
        OTHERS: ("No", 1),
        "dredging": ("Yes", 1),
        "https://www.example.org/dredging/?utm_source=letter": ("Yes", 1),
        "school": ("No", 1),
        NONE: (None, 1),
    }
    assert (result.now, result.table.rows[0][-1]) == (None, "Too early to say")


def test_a_topic_that_is_still_in_work_is_no_story_that_members_chose(ask):
    with time_machine.travel(NOW, tick=False):
        make_topic_at("reporting", owner=make_staff())
    gift(2, article="dredging")
    assert counted(ask("first-story", *NOVEMBER))[CHOSEN] == ("Yes", 0)


def test_only_the_first_money_of_a_person_counts_whatever_it_was_for(ask):
    giver = gift(2, article="school")
    gift(3, giver, article="port")
    assert "port" not in counted(ask("first-story", *NOVEMBER))
    assert counted(ask("first-story", "2026-11-03", "2026-11-18")) == {
        CHOSEN: ("Yes", 0),
        OTHERS: ("No", 0),
        NONE: (None, 0),
    }


def test_who_gave_by_bank_before_is_no_new_supporter(ask):
    giver = make_giver(NOW)
    pay_for(begin(kyiv("2026-11-02 10:00"), way="bank"), kyiv("2026-11-02 10:00"), giver)
    gift(3, giver, article="port")
    assert counted(ask("first-story", *NOVEMBER)) == {CHOSEN: ("Yes", 0), OTHERS: ("No", 0), NONE: (None, 1)}


def test_it_counts_on_the_day_on_which_it_was_paid(ask):
    late = begin(kyiv("2026-11-02 10:00"), article="port")
    pay_for(late, kyiv("2026-11-06 10:00"), make_giver(NOW))
    assert "port" not in counted(ask("first-story", "2026-11-02", "2026-11-05"))
    assert counted(ask("first-story", "2026-11-06", "2026-11-06"))["port"] == ("No", 1)


def test_two_people_who_turn_out_to_be_one_have_one_first_gift(ask):
    one, other = gift(2, article="school"), gift(4, article="port")
    assert counted(ask("first-story", *NOVEMBER))["port"] == ("No", 1)
    with transaction("test.merge"):
        for merger in wiring.MERGERS:
            merger(other, one, NOW)
    assert list(checks.unlike_rows(WHOLE)) == []
    assert "port" not in counted(ask("first-story", *NOVEMBER))
    assert list(checks.unlike_rows(WHOLE)) == []


def test_both_groups_with_their_intervals(ask):
    publish()
    for _ in range(10):
        gift(2, article="dredging")
    for _ in range(30):
        gift(3, article="school")
    result = ask("first-story", *NOVEMBER)
    chosen, others = result.table.rows[:2]
    # 10 of 40 as in test_conversion; 30 of 40 mirrors it.
    assert chosen[2:] == (10, Decimal("0.25"), Decimal("0.1419"), Decimal("0.4019"), "Enough people")
    assert others[2:] == (30, Decimal("0.75"), Decimal("0.5981"), Decimal("0.8581"), "Enough people")
    assert result.now == Decimal("0.25")


def test_the_25_stories_with_most_and_all_others(ask):
    for n in range(27):
        gift(2, article=f"story-{n:02}")
    rows = ask("first-story", *NOVEMBER).table.rows
    assert len(rows) == 2 + 25 + 2
    assert rows[-2][:3] == ("All others", None, 2)
