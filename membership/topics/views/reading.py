"""What everybody reads: topics, one topic, the promise, stories, feeds, and the small badge for a story's page."""

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound as NoSuchPage

from membership.kernel import clock
from membership.newsroom.queries import day_of
from membership.topics import queries
from membership.topics.models import Topic, TopicEvent
from membership.topics.rules import IN_WORK, SHELVES, Stage
from membership.topics.views.shown import facts_of, shown_topic, viewer
from membership.web.access import audience
from membership.web.links import absolute

bp = Blueprint("topics", __name__)

TOPICS_A_PAGE = 20
NEWS_IN_A_FEED = 50
FEED_KEPT_SECONDS = 300
LONGEST_SEARCH = 120
WITH_BADGE = IN_WORK | {Stage.PUBLISHED}


@bp.get("/topics")
@audience("public")
def topics() -> ResponseReturnValue:
    """Every public topic, by shelf, words and order."""
    shelf = request.args.get("shelf", "")
    shelf = shelf if shelf in SHELVES else "open"
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    sort: queries.Sort = "latest" if request.args.get("sort") == "latest" else "followers"
    page = queries.list_topics(SHELVES[shelf], words, sort, request.args.get("after", ""), TOPICS_A_PAGE)
    counts, looks = queries.n_by_stage(), viewer()
    return render_template(
        "topics/topics.html",
        page=page,
        shelf=shelf,
        words=words,
        sort=sort,
        n_on={name: sum(counts.get(stage, 0) for stage in stages) for name, stages in SHELVES.items()},
        followed=queries.followed_among([row.id for row in page.rows], looks.person_id) if looks.person_id else set(),
    )


# Exactly as long as a public id, so that no other spelling of /topics/propose is taken for a topic.
@bp.get("/topics/<string(length=30):public_id>")
@audience("public")
def topic(public_id: str) -> ResponseReturnValue:
    """One topic: its life, its words, what became of it. A merged one leads to the topic that it is part of."""
    found = shown_topic(public_id)
    if found.stage == Stage.MERGED:
        root = queries.root_of(found)
        return redirect(url_for("topics.topic", public_id=root.public_id, part=found.public_id), 302)
    return render_template("topics/topic.html", **facts_of(found), came_from=_came_from(found), address=_address(found))


def _came_from(topic: Topic) -> Topic | None:
    """The merged topic whose address led here, if that is true."""
    public_id = request.args.get("part", "")
    return next((part for part in queries.merged_into(topic.id) if part.public_id == public_id), None)


def _address(topic: Topic) -> str:
    return absolute("topics.topic", public_id=topic.public_id)


@bp.get("/promise")
@audience("public")
def promise() -> ResponseReturnValue:
    """What became of what members chose, in numbers that anybody can check."""
    at = clock.now()
    return render_template("topics/promise.html", promise=queries.promise(at, day_of(at)), at=at)


@bp.get("/stories")
@audience("public")
def stories() -> ResponseReturnValue:
    """The stories that members chose."""
    page = queries.stories(TOPICS_A_PAGE, request.args.get("before", ""))
    return render_template("topics/stories.html", page=page)


@bp.get("/topics/feed.atom")
@audience("public")
def feed() -> ResponseReturnValue:
    """The latest steps of all topics, as an Atom feed (RFC 4287)."""
    return _feed(queries.latest_news(NEWS_IN_A_FEED), absolute("topics.topics"), absolute("topics.feed"))


@bp.get("/topics/<public_id>/feed.atom")
@audience("public")
def topic_feed(public_id: str) -> ResponseReturnValue:
    """The latest steps of one topic, as an Atom feed."""
    found = queries.get_by_public_id(public_id)
    if found.stage == Stage.PROPOSED or found.is_hidden:
        raise NoSuchPage
    news = queries.latest_news(NEWS_IN_A_FEED, found.id)
    return _feed(news, _address(found), absolute("topics.topic_feed", public_id=public_id), found)


def _feed(news: list[tuple[TopicEvent, Topic]], page_url: str, feed_url: str, topic: Topic | None = None) -> Response:
    updated = news[0][0].at if news else clock.now()
    answer = make_response(
        render_template(
            "topics/feed.xml",
            news=news,
            page_url=page_url,
            feed_url=feed_url,
            topic=topic,
            updated=updated,
            address=_address,
        )
    )
    answer.mimetype = "application/atom+xml"
    answer.headers["Cache-Control"] = f"public, max-age={FEED_KEPT_SECONDS}"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@bp.get("/topics/<public_id>/badge")
@audience("public")
def badge(public_id: str) -> ResponseReturnValue:
    """Say that members chose this: a piece of page for the story that a topic led to, the same for everybody."""
    return render_template("topics/badge.html", topic=_with_badge(public_id), address=_address)


@bp.get("/topics/<public_id>/badge.json")
@audience("public")
def badge_json(public_id: str) -> ResponseReturnValue:
    """The same as values."""
    found = _with_badge(public_id)
    return jsonify(
        title=found.title,
        locale=found.locale,
        topic_url=_address(found),
        chosen_at=found.chosen_at.isoformat() if found.chosen_at else None,
        story_url=found.story_url,
        story_title=found.story_title,
        published_at=found.published_at.isoformat() if found.published_at else None,
    )


def _with_badge(public_id: str) -> Topic:
    found = queries.get_by_public_id(public_id)
    if Stage(found.stage) not in WITH_BADGE:
        raise NoSuchPage
    return found
