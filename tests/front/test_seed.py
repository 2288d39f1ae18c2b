"""The demo's newsroom: every kind of topic, a poll that was counted, one ready to be opened, and no money."""

import pytest
from sqlalchemy import func, select

from membership import db as database
from membership.app import create_app
from membership.appeals import queries as appeals
from membership.billing.models import Payment
from membership.corrections import queries as corrections
from membership.corrections.rules import State
from membership.front import seed
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.patrons.queries import n_patrons
from membership.polls import queries as polls
from membership.topics import queries as topics
from membership.topics.rules import Stage
from tests.conftest import Browser, make_settings
from tests.factories.people import sign_in


@pytest.fixture
def newsroom(tmp_path):
    app = create_app(
        make_settings(
            database_url=f"sqlite:///{tmp_path / 'demo.db'}",
            queue_path=str(tmp_path / "queue.db"),
            public_url="http://127.0.0.1:8000",
            demo=True,
            demo_mailbox=str(tmp_path),
        )
    )
    app.test_client_class = Browser
    app.config["SERVER_NAME"] = "127.0.0.1:8000"
    with app.app_context():
        database.db.create_all()
        seed.seed(app)
        yield app
        database.db.session.remove()
        database.db.engine.dispose()
    clock.use_offset(clock.no_offset)


def test_a_poll_was_counted_and_its_story_told(newsroom):
    counted = next(poll for poll in polls.list_for_staff() if poll.state == "closed")
    assert polls.turnout(counted.id).n_voted == seed.N_VOTERS
    assert polls.winners_now(counted) == [0, 1]
    assert polls.result_of(counted.id).other_rules["approval"] == [0, 4]
    assert [topic.title for topic in topics.stories(5).rows] == [seed.COUNTED[0].title]
    assert topics.n_by_stage()[Stage.REPORTING] == 1


def test_it_begins_with_guests_and_without_money_or_mail(newsroom):
    assert n_patrons(clock.now()) == seed.N_VOTERS
    assert database.db.session.scalar(select(func.count()).select_from(Payment)) == 0
    assert database.db.session.scalar(select(func.count()).select_from(OutboxMail)) == 0


def test_a_mistake_was_corrected_and_two_passages_wait_of_which_one_was_reported_twice(newsroom):
    assert corrections.n_by_state() == {State.NEW: 2, State.FIXED: 1}
    assert sorted(row.n_reports for row in corrections.list_in(State.NEW, 5).rows) == [1, 2]


def test_an_appeal_runs_in_two_wordings_and_both_languages(newsroom):
    (told,) = appeals.running(clock.now(), ["en", "uk"])
    assert told["languages"] == ["en", "uk"]
    assert [variant["id"] for variant in told["variants"]] == ["a", "b"]
    assert "{" not in str([variant[code] for variant in told["variants"] for code in told["languages"]]).replace(
        "{'", ""
    )


def test_filling_it_again_changes_nothing(newsroom):
    before = topics.n_by_stage(), len(polls.list_for_staff())
    seed.seed(newsroom)
    assert (topics.n_by_stage(), len(polls.list_for_staff())) == before


def test_the_clock_shows_real_time_again(newsroom):
    assert abs((clock.now() - clock.real_now()).total_seconds()) < 1


@pytest.mark.parametrize("path", ["/", "/staff", "/polls", "/topics", "/promise", "/stories", "/staff/topics"])
def test_every_page_of_it_opens_for_the_editor(newsroom, path):
    browser = newsroom.test_client()
    sign_in(browser, seed.EDITOR)
    page = browser.get(path)
    assert page.status_code == 200
    assert "<h1" in page.get_data(as_text=True)
