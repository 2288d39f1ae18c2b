"""The promise: the same numbers as at /promise."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from membership.db import db, transaction
from membership.topics.models import Topic
from tests.dashboard.conftest import NOW
from tests.factories.people import make_staff
from tests.factories.topics import make_topic_at

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def lived(app):
    """Two published after 10 and 31 days, one in work, one overdue, one dropped, and one that no poll chose."""
    with time_machine.travel(NOW, tick=False):
        owner = make_staff()
        done = [make_topic_at("published", f"What became of it, part {n}", owner=owner) for n in (1, 2)]
        make_topic_at("chosen", "Who pays for the stadium")
        late = make_topic_at("reporting", "Why the night bus stopped", owner=owner)
        make_topic_at("dropped", "What the new school costs")
        make_topic_at("not_chosen", "How clean is the river")
    with transaction("test.days"):
        for topic, days in zip(done, (10, 31), strict=True):
            row = db.session.get_one(Topic, topic.id)
            row.chosen_at = row.published_at - timedelta(days=days)
        db.session.get_one(Topic, late.id).due_on = (NOW - timedelta(days=1)).date()
    return app


def test_what_became_of_the_topics_that_polls_chose(ask, lived):
    result = ask("promise", "2026-11-01", "2026-11-18")
    assert [row[1:] for row in result.table.rows] == [
        (5, Decimal(1)), (2, Decimal("0.4")), (1, Decimal("0.2")), (1, Decimal("0.2")), (1, Decimal("0.2")), (20, None),
    ]  # fmt: skip
    assert (result.now, result.before, result.at) == (Decimal("0.4"), None, NOW)


def test_it_is_what_everybody_sees(ask, lived, client):
    with time_machine.travel(NOW, tick=False):
        page = client.get("/promise", headers={"Accept-Language": "en"}).get_data(as_text=True)
    shown = re.findall(r'numbers__value">([^<]+)<', page)
    table = ask("promise", "2026-11-01", "2026-11-18").table.rows
    assert shown == ["40%", f"{table[5][1]} days", str(table[3][1]), str(table[4][1])]


def test_before_any_poll_there_is_nothing_to_say(ask):
    result = ask("promise", "2026-11-01", "2026-11-18")
    assert result.now is None
    assert {row[1] for row in result.table.rows} == {0, None}
