"""The page of a result and its files. Everything is read from the result that the close stored; nothing is counted."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from membership.kernel.errors import NotFound
from membership.newsroom.queries import newsroom
from membership.polls import queries, rules
from membership.polls.counting.files.count_json import named
from membership.polls.counting.files.election import distinct
from membership.polls.counting.result import Count
from membership.polls.explaining import TopicKey, explain
from membership.polls.models import Poll, PollResult
from membership.polls.queries.result_page import TopicNow, ballots_file, topics_of
from membership.web import settings
from membership.web.access import audience

bp = Blueprint("results", __name__)

# What a result says never changes; an hour is how soon a correction by us (a better header, say) is seen.
KEPT = "public, max-age=3600"


@dataclass(frozen=True)
class TopicOnPage:
    """A topic as the page names it: `letter` and `tone` are the same in every picture."""

    title: str
    url: str
    stage: str
    story_url: str | None
    letter: str
    tone: int


@dataclass(frozen=True)
class SkipOnPage:
    """A winner that was passed over, by position; `moved_up` None: nobody was left."""

    option: int
    reason: str
    moved_up: int | None


@dataclass(frozen=True)
class OtherRule:
    """What another rule would have chosen: `also` and not `instead_of`, everything else the same."""

    rule: str
    also: tuple[int, ...]
    instead_of: tuple[int, ...]

    @property
    def is_same(self) -> bool:
        """Whether it would have chosen the same topics."""
        return not self.also and not self.instead_of


def render_result(poll: Poll) -> str:
    """The page of a closed poll."""
    result = _result_of(poll)
    return render_template("polls/result.html", **page_of(poll, result))


def page_of(poll: Poll, result: PollResult) -> dict[str, Any]:
    """What the page's template needs, from the stored result and what has become of the topics since."""
    story = explain(Count.from_dict(result.count))
    topics = topics_of(poll.id)
    chosen = queries.winners_now(poll)
    skips = _skips(poll, topics)
    return {
        "poll": poll,
        "result": result,
        "story": story,
        "topics": [_on_page(topic, story.keys[topic.position]) for topic in topics],
        "chosen": chosen,
        "skips": skips,
        "moved_up": {skip.moved_up for skip in skips},
        "chosen_in": {option: step for step in story.steps for option in step.elected},
        "others": _others(result.other_rules, story.winners),
        "n_counted": _n_counted(result),
        "is_published": _is_published(poll, result),
        "lot_order": rules.lot_order(poll.lot_seed or "", len(topics)),
        "head": queries.head_of(poll.id)[1],
        "recount_command": recount_command(poll),
        "verifier_url": url_for("poll_files.verifier"),
        "evidence_url": url_for("poll_files.evidence", public_id=poll.public_id),
        "share_text": _share_text([topics[option].title for option in chosen]),
        "share_url": urljoin(settings().public_url, f"/polls/{poll.public_id}"),
    }


def _skips(poll: Poll, topics: Sequence[TopicNow]) -> list[SkipOnPage]:
    position = {topic.topic_id: topic.position for topic in topics}
    return [
        SkipOnPage(position[skip.topic_id], skip.reason, position.get(skip.moved_up_id or 0))
        for skip in queries.list_skips(poll.id)
    ]


def recount_command(poll: Poll) -> str:
    """What anybody types to count the published ballots again."""
    return f"membership count ballots.json --rule {poll.rule} --seats {poll.n_seats} --json"


def _on_page(topic: TopicNow, key: TopicKey) -> TopicOnPage:
    return TopicOnPage(topic.title, f"/topics/{topic.public_id}", topic.stage, topic.story_url, key.letter, key.tone)


def _others(other_rules: Mapping[str, Sequence[int]], winners: Sequence[int]) -> list[OtherRule]:
    return [
        OtherRule(
            rule,
            tuple(option for option in theirs if option not in winners),
            tuple(option for option in winners if option not in theirs),
        )
        for rule, theirs in other_rules.items()
    ]


def _share_text(titles: Sequence[str]) -> str:
    if not titles:
        return str(_("No topic was chosen this time."))
    *most, last = [_("“%(title)s”", title=title) for title in titles]
    names = _("%(names)s and %(last)s", names=", ".join(most), last=last) if most else last
    return str(
        ngettext(
            "Members of %(newsroom)s chose what is reported next: %(names)s.",
            "Members of %(newsroom)s chose what is reported next: %(names)s.",
            len(titles),
            newsroom=newsroom().name,
            names=names,
        )
    )


def _n_counted(result: PollResult) -> int:
    return result.n_voted - result.n_set_aside


def _is_published(poll: Poll, result: PollResult) -> bool:
    return result.has_breakdown and poll.publish_from is not None and _n_counted(result) >= poll.publish_from


@bp.get("/polls/<public_id>/receipts.txt")
@audience("public")
def receipts(public_id: str) -> ResponseReturnValue:
    """The digests of all counted receipts, one a line, sorted."""
    poll, result = _closed(public_id)
    return _file(result, "text/plain", lambda: "".join(f"{line}\n" for line in queries.receipt_hashes(poll.id)))


@bp.get("/polls/<public_id>/count.json")
@audience("public")
def count_file(public_id: str) -> ResponseReturnValue:
    """The stored count, as `membership count --json` prints it for the published ballots."""
    poll, result = _closed(public_id)
    _refuse_few(result)
    return _file(result, "application/json", lambda: _json(_named_count(poll, result)))


@bp.get("/polls/<public_id>/ballots.json")
@audience("public")
def ballots(public_id: str) -> ResponseReturnValue:
    """All counted ballots, grouped and sorted by choice, in the format that `membership count` reads."""
    poll, result = _closed(public_id)
    _refuse_few(result)
    published = ballots_file(poll)
    if published is None:
        raise NotFound("ballots_not_published", "The ballots of this poll are not published.")
    return _file(result, "application/json", lambda: _json(published))


def _closed(public_id: str) -> tuple[Poll, PollResult]:
    poll = queries.get_by_public_id(public_id)
    return poll, _result_of(poll)


def _result_of(poll: Poll) -> PollResult:
    result = queries.result_of(poll.id)
    if result is None:
        raise NotFound("no_result", "This poll has no result yet.")
    return result


def _refuse_few(result: PollResult) -> None:
    if not result.has_breakdown:
        raise NotFound("too_few_ballots", "Fewer than five ballots were counted, so their numbers stay unpublished.")


def _named_count(poll: Poll, result: PollResult) -> dict[str, Any]:
    found = Count.from_dict(result.count)
    return named(replace(found, options=distinct(found.options)), poll.title)


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _file(result: PollResult, mimetype: str, write: Callable[[], str]) -> ResponseReturnValue:
    """A file of the result, kept by browsers; who has it already is told so before it is made again."""
    answer = Response(content_type=f"{mimetype}; charset=utf-8")
    answer.set_etag(f"{result.ballots_digest}-{result.rule_version.replace('/', '-')}")
    answer.headers["Cache-Control"] = KEPT
    if not request.if_none_match.contains(answer.get_etag()[0] or ""):
        answer.set_data(write())
    return answer.make_conditional(request)
