"""The front page and the demo's article."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from membership.front.queries import goal, stories, vote
from membership.kernel import clock
from membership.newsroom.queries import offer_in, offered_currencies
from membership.newsroom.rules import Offer
from membership.web import settings
from membership.web.access import audience
from membership.web.i18n import currency_for_request

pages_bp = Blueprint("front", __name__)

ARTICLE_PUBLISHED_AT = datetime(2026, 11, 12, 6, 30, tzinfo=UTC)


@pages_bp.get("/")
@audience("public")
def home() -> ResponseReturnValue:
    """What support makes possible, how far we are, and the ways to support."""
    at = clock.now()
    ways = [
        (
            _("A cup of coffee a month"),
            _("By card, every month. Stop whenever you like."),
            url_for("contributions.contribute", rhythm="monthly"),
        ),
        (
            _("Once a year"),
            _("Twelve cups in one payment: less to think about."),
            url_for("contributions.contribute", rhythm="yearly"),
        ),
        (
            _("Just once"),
            _("Any amount. Each cup makes you a patron for one month."),
            url_for("contributions.contribute", rhythm="once"),
        ),
        (
            _("Bank transfer and other ways"),
            _("Without a card: each has its own page, and counts in the same way."),
            url_for("transfers.support"),
        ),
    ]
    return render_template(
        "front/home.html",
        goal=goal(at),
        vote=vote(at),
        stories=stories(),
        offer=_offer(),
        ways=ways,
        article_url=url_for("front.article") if settings().demo else None,
    )


@pages_bp.get("/demo/article")
@audience("demo")
def article() -> ResponseReturnValue:
    """An article as a newsroom would print it, with the appeal at its foot."""
    return render_template("front/article.html", offer=_offer(), published_at=ARTICLE_PUBLISHED_AT)


def _offer() -> Offer:
    wanted = request.args.get("currency")
    offered = offered_currencies()
    return offer_in(wanted if wanted in offered else currency_for_request(offered))
