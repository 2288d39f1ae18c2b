"""Corrections answered in time: eight reports worked by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from membership.corrections import services
from tests.dashboard.conftest import NOW
from tests.factories.corrections import make_passage, make_passage_at, make_report
from tests.factories.people import make_staff

pytestmark = pytest.mark.usefixtures("app")


def report(days_ago, answered_after=None, n=0):
    """A report of so many days ago, declined so many days later."""
    came_at = NOW - timedelta(days=days_ago)
    with time_machine.travel(came_at, tick=False):
        passage = make_passage("", note=f"Mistake of day {days_ago} ({n})", email=None)
    if answered_after is not None:
        with time_machine.travel(came_at + answered_after, tick=False):
            services.decline(passage.id, "It is right.", None)
    return passage


@pytest.fixture
def lived(app):
    """In time: after one day, after three, and after 7 to the second. Late: after 10. Overdue: of 12 days ago and
    of 8. Open: of 2 days ago. Besides, spam, and one of the month before.
    """
    report(15, timedelta(days=1))
    report(14, timedelta(days=3))
    report(13, timedelta(days=7))
    report(13, timedelta(days=10), n=1)
    report(12)
    report(8)
    report(2)
    with time_machine.travel(NOW - timedelta(days=9), tick=False):
        make_passage_at("spam", quote="", note="Buy now", email=None)
    report(30, timedelta(days=15))


def test_of_the_reports_of_some_days_so_many_were_answered_within_a_week(ask, lived):
    result = ask("corrections", "2026-11-01", "2026-11-18")
    assert [row[1:] for row in result.table.rows] == [
        (3, Decimal("0.5")), (1, Decimal("0.1667")), (2, Decimal("0.3333")), (1, None), (5, None),
    ]  # fmt: skip
    assert (result.now, result.before) == (Decimal("0.5"), Decimal(0))


def test_what_is_answered_stays_answered_and_a_duplicate_is_answered_with_the_other_one(ask, app):
    editor = make_staff()
    first = report(10)
    with time_machine.travel(NOW - timedelta(days=9), tick=False):
        second = make_report("", note="The same in other words", email=None)
        services.mark_duplicate(second.passage_id, first.id, editor.id)
        services.decline(first.id, "It is right.", editor.id)
        services.reopen(first.id, editor.id)
    assert ask("corrections", "2026-11-01", "2026-11-18").table.rows[0][1:] == (2, Decimal(1))


def test_without_any_report_there_is_nothing_to_say(ask):
    result = ask("corrections", "2026-11-01", "2026-11-18")
    assert result.now is None
    assert {row[1] for row in result.table.rows} == {0, None}
