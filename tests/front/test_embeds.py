"""The script and its public file: the same for everybody, small, and made for caches."""

import gzip

import pytest

from membership.kernel import clock
from membership.newsroom import services as newsroom
from membership.newsroom.rules.plain import Languages
from membership.newsroom.rules.subjects import Subject
from membership.topics.rules import Stage
from membership.web.shared import Kept
from tests.conftest import make_settings
from tests.factories.people import make_person, make_staff, sign_in
from tests.factories.topics import make_topic_at

PATHS = ["/embed/v1.js", "/embed/config.json"]
LARGEST_SCRIPT = 12 * 1024


@pytest.mark.parametrize("path", PATHS)
def test_it_may_be_kept_by_everybody_and_is_not_sent_twice(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert {"public", "stale-while-revalidate"} <= set(answer.cache_control)
    assert answer.access_control_allow_origin == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not answer.vary
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", PATHS)
def test_who_asks_makes_no_difference_and_nobody_gets_a_cookie(app, client, path):
    as_stranger = client.get(path)
    make_person("olena@example.org")
    sign_in(client, "olena@example.org")
    as_member = client.get(path, headers={"Accept-Language": "uk", "Origin": "https://news.example"})
    assert as_member.data == as_stranger.data
    assert "Set-Cookie" not in as_member.headers
    assert as_member.cache_control.public


def test_the_script_is_small_and_can_be_pinned(client):
    script = client.get("/embed/v1.js").data
    assert len(gzip.compress(script)) <= LARGEST_SCRIPT
    pinned = client.get(client.get("/embed/config.json").json["script"])
    assert pinned.data == script
    assert pinned.cache_control.immutable
    assert client.get("/embed/v1-0000000000000000.js").status_code == 404


def test_before_anything_happened_there_are_the_goal_and_the_way_to_report_a_mistake(client):
    told = client.get("/embed/config.json").json
    assert set(told["parts"]) == {"goal", "corrections"}
    goal = told["parts"]["goal"]
    assert (goal["now"], goal["wanted"]) == (0, 500)
    assert goal["en"]["goal"] == "0 patrons so far; our goal is 500."
    assert goal["uk"]["goal"] == "Нас підтримують: 0 патронів. Наша мета — 500."


def test_a_story_that_members_chose_wears_the_badge(client, published_story):
    parts = client.get("/embed/config.json").json["parts"]
    (badge,) = parts["badge"]["stories"]
    assert badge == [published_story.story_url, f"http://localhost/topics/{published_story.public_id}"]
    assert parts["stories"]["list"] == [
        {"url": published_story.story_url, "title": published_story.story_title, "lang": published_story.locale}
    ]


@pytest.fixture
def published_story(app):
    return make_topic_at(Stage.PUBLISHED, owner=make_staff())


def test_a_language_that_readers_are_not_spoken_to_in_is_not_told(client):
    newsroom.save(Subject.LANGUAGES, Languages(("uk",), "uk"), 0, "staff:1", clock.now())
    told = client.get("/embed/config.json").json
    assert told["languages"] == ["uk"]
    assert "en" not in told["parts"]["goal"]
    assert 'lang="uk"' in client.get("/embed/frame/goal?lang=en").text


class TestSwitchedOff:
    @pytest.fixture
    def settings(self, database_url, tmp_path):
        return make_settings(
            database_url=database_url,
            queue_path=str(tmp_path / "queue.db"),
            keys_path=str(tmp_path / "keys"),
            embeds="none",
        )

    def test_what_is_switched_off_is_not_told(self, client):
        assert client.get("/embed/config.json").json["parts"] == {}


def test_the_newsrooms_own_sites_may_frame_a_part_and_nobody_else(app, client):
    (site,) = app.extensions["membership.settings"].site_origins
    policy = client.get("/embed/frame/goal?lang=uk").headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {site};" in policy
    assert client.get("/embed/frame/badge").status_code == 404


def test_a_frame_speaks_the_language_that_the_page_asks_for(client):
    assert 'lang="uk"' in client.get("/embed/frame/goal?lang=uk").text
    assert 'lang="en"' in client.get("/embed/frame/goal?lang=zz").text
    assert client.get("/embed/frame/stories").status_code == 200  # there is none yet


def test_of_many_who_ask_within_seconds_one_has_the_file_made(app, client):
    app.extensions["membership.settings"] = make_settings(embeds_kept_seconds=60)
    first = client.get("/embed/config.json")
    make_topic_at(Stage.PUBLISHED, owner=make_staff())
    assert client.get("/embed/config.json").data == first.data
    app.extensions.pop("membership.embeds")  # as another process, or a minute later
    assert client.get("/embed/config.json").data != first.data


def test_where_it_cannot_be_made_anew_the_one_before_does():
    kept, made = Kept(0), iter(["good", ZeroDivisionError(), "better"])

    def make():
        found = next(made)
        if isinstance(found, Exception):
            raise found
        return found

    assert [kept.get(make) for _ in range(3)] == ["good", "good", "better"]


def test_a_file_that_cannot_be_made_is_made_by_the_next_who_asks():
    kept, made = Kept(60), iter([ZeroDivisionError(), "good", "never"])

    def make():
        found = next(made)
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(ZeroDivisionError):
        kept.get(make)
    assert [kept.get(make), kept.get(make)] == ["good", "good"]
