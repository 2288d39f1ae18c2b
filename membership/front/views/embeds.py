"""What stands on the newsroom's own article pages: one script, and the one public file that it reads (decision 29).

Both are the same for everybody, so that caches in between answer a million readers. Nothing of a reader is asked for,
kept or counted here. The words of the file are the server's, in every language: the script has none.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, json, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, format_decimal, ngettext
from flask_babel import gettext as _

from membership.appeals.queries import running
from membership.corrections.queries import known_origins
from membership.corrections.services.owning import KEEP_ADDRESS
from membership.front.queries import chosen_stories, goal, stories, vote
from membership.front.queries.front_page import Goal
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.newsroom.queries import colours_drawn, house, newsroom, offer_in, offered_currencies
from membership.web import settings
from membership.web.access import audience
from membership.web.filters import day, money_short
from membership.web.links import absolute
from membership.web.security import content_policy
from membership.web.shared import Kept, for_everybody

embeds_bp = Blueprint("embeds", __name__)

# Each uses what those before it define; readers load them as one.
SCRIPT = tuple(f"embed/v1/{name}.js" for name in ("engine", "base", "support", "appeal", "corrections", "elements"))
MARK_LENGTH = 16
KEPT_FOR_EVER = "public, max-age=31536000, immutable"
VERSION = 1
# The parts that need no script.
FRAMED = frozenset({"goal", "poll", "stories"})

Words = dict[str, str]


@embeds_bp.get("/embed/v1.js")
@audience("machine", rate="machine")
def script() -> ResponseReturnValue:
    """The newest script, for pages that name no version of it."""
    return for_everybody(Response(_script()[1], mimetype="text/javascript"))


@embeds_bp.get("/embed/v1-<string(length=16):mark>.js")
@audience("machine", rate="machine")
def marked_script(mark: str) -> ResponseReturnValue:
    """The script of this digest, for pages that pin it with `integrity`. It is never another one under this address."""
    if mark != _script()[0]:
        raise NotFound("no_script", "There is no such script.")
    return for_everybody(Response(_script()[1], mimetype="text/javascript"), KEPT_FOR_EVER)


@embeds_bp.get("/embed/frame/<name>")
@audience("machine", rate="machine")
def frame(name: str) -> ResponseReturnValue:
    """A part as a page of its own, for sites without scripts: they put it into a sandboxed frame."""
    if name not in FRAMED:
        raise NotFound("no_part", "There is no such part.")
    part = PARTS[name]() if name in settings().embeds else None
    asked, languages = request.args.get("lang", ""), _languages()
    locale = asked if asked in languages else languages[0]
    with force_locale(locale):
        body = render_template("front/embed_frame.html", name=name, part=part, words=(part or {}).get(locale))
    answer = for_everybody(Response(body, mimetype="text/html"))
    ancestors = " ".join(["'self'", *settings().site_origins])
    answer.headers["Content-Security-Policy"] = content_policy(settings(), frame_ancestors=ancestors)
    return answer


@embeds_bp.get("/embed/config.json")
@audience("machine", rate="machine")
def config() -> ResponseReturnValue:
    """What the script shows, as values and words. A part that is switched off, or has nothing to show, is missing."""
    kept: Kept = current_app.extensions.setdefault("membership.embeds", Kept(settings().embeds_kept_seconds))
    return for_everybody(Response(kept.get(_config), mimetype="application/json"))


def _config() -> str:
    parts = {name: part for name in settings().embeds if (part := PARTS[name]()) is not None}
    told = {
        "version": VERSION,
        "name": newsroom().name,
        "script": url_for("embeds.marked_script", mark=_script()[0]),
        "languages": _languages(),
        "colours": _colours(),
        "parts": parts,
    }
    return json.dumps(told, ensure_ascii=False)


@cache
def _script() -> tuple[str, str]:
    folder = Path(current_app.static_folder or "")
    text = "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPT)
    return hashlib.sha256(text.encode()).hexdigest()[:MARK_LENGTH], text


def _languages() -> list[str]:
    """Those that readers are spoken to in; the first where a page is in none of them."""
    known = house()
    return sorted(known.languages, key=lambda code: code != known.default_language)


def _colours() -> dict[str, dict[str, str]]:
    drawn = colours_drawn()
    schemes = {"light": drawn.light, "dark": drawn.dark}
    return {name: {"accent": has["accent"], "ink": has["accent-ink"]} for name, has in schemes.items()}


def _goal() -> dict[str, Any]:
    found = goal(clock.now())
    now, wanted = found.n_patrons, found.n_wanted
    if found.money is not None and found.money_wanted is not None:
        now, wanted = found.money.minor, found.money_wanted.minor
    told = {"href": absolute("contributions.contribute"), "now": now, "wanted": wanted}
    return told | _in_each_language(lambda: _goal_words(found))


def _goal_words(found: Goal) -> Words:
    return {
        "label": _("Support %(newsroom)s", newsroom=newsroom().name),
        "goal": _how_far(found),
        "link": _("Support us from %(amount)s a month", amount=money_short(offer_in(offered_currencies()[0]).cup)),
    }


def _how_far(found: Goal) -> str:
    number, wanted = format_decimal(found.n_patrons), format_decimal(found.n_wanted)
    told = {"patrons": ngettext("%(number)s patron", "%(number)s patrons", found.n_patrons, number=number)}
    if found.money is not None and found.money_wanted is not None:
        sums = {"now": money_short(found.money), "wanted": money_short(found.money_wanted)}
        return str(_("%(patrons)s: together %(now)s a month, of %(wanted)s that we need.", **told, **sums))
    return str(_("%(patrons)s so far; our goal is %(wanted)s.", **told, wanted=wanted))


def _poll() -> dict[str, Any] | None:
    found = vote(clock.now())
    if found is None:
        return None
    return {
        "href": absolute("polls.poll", public_id=found.poll.public_id),
        "title": found.poll.title,
        "lang": found.poll.locale,
    } | _in_each_language(
        lambda: {
            "label": _("Members are voting now"),
            "until": _("Open until %(day)s.", day=day(found.poll.closes_at)),
            "link": _("See the topics and vote"),
        }
    )


def _stories() -> dict[str, Any] | None:
    found = stories()
    if not found:
        return None
    return {
        "href": absolute("topics.promise"),
        "list": [{"url": row.story_url, "title": row.story_title, "lang": row.locale} for row in found],
    } | _in_each_language(
        lambda: {
            "label": _("Stories that members chose"),
            "link": _("What became of everything that members chose"),
        }
    )


def _badge() -> dict[str, Any] | None:
    found = [[row.story_url, absolute("topics.topic", public_id=row.public_id)] for row in chosen_stories()]
    return {"stories": found} | _in_each_language(lambda: {"label": _("Members chose this")}) if found else None


def _corrections() -> dict[str, Any] | None:
    if not known_origins():
        return None
    return {
        "href": absolute("correction_report.report"),
        "post": url_for("correction_embed.send"),
    } | _in_each_language(_correction_words)


def _correction_words() -> Words:
    return {
        "link": _("Report a mistake"),
        "keys": _("or mark the words and press Ctrl + Enter"),
        "title": _("What is wrong here?"),
        "quote": _("The words that you marked"),
        "what": _("Which words are wrong, and how should they read?"),
        "note": _("How should it read, and how do you know?"),
        "email": _("Your e-mail address, if you would like to hear what became of it"),
        "privacy": _(
            "An editor reads this. We write to you once, and delete your address %(n)s days later.", n=KEEP_ADDRESS.days
        ),
        "send": _("Send to the newsroom"),
        "close": _("Close"),
        "thanks": _("Thank you. An editor looks at it."),
        "failed": _("It did not arrive. What you wrote is still here: please try again in a minute."),
    }


def _appeal() -> dict[str, Any] | None:
    """Every appeal that runs: which one a reader is shown, and whether at all, is decided in their own browser."""
    found = running(clock.now(), _languages())
    if not found:
        return None
    return {
        "href": absolute("contributions.contribute"),
        "events": url_for("appeal_events.tell"),
        "sample": 1 / settings().appeal_views_one_of,
        "list": found,
    } | _in_each_language(_appeal_words)


def _appeal_words() -> Words:
    return {
        "label": _("A word from %(newsroom)s", newsroom=newsroom().name),
        "close": _("Close"),
        "already": _("I already support you"),
        "thanks": _("Thank you! We will not ask you here again for a while."),
    }


PARTS: Mapping[str, Callable[[], dict[str, Any] | None]] = {
    "goal": _goal,
    "poll": _poll,
    "stories": _stories,
    "badge": _badge,
    "corrections": _corrections,
    "appeal": _appeal,
}


def _in_each_language(words: Callable[[], Words]) -> dict[str, Words]:
    found = {}
    for language in _languages():
        with force_locale(language):
            found[language] = {name: str(value) for name, value in words().items()}
    return found
