"""Two languages, both originals: which one a request is answered in, and which currency it is offered first."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Flask, has_request_context, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, get_locale
from werkzeug.exceptions import NotFound

from membership.web import settings
from membership.web.access import audience
from membership.web.house import house
from membership.web.links import own_place

# What this program speaks; which of them readers are offered, the newsroom sets (`web.house`).
LANGUAGES = {"en": "English", "uk": "Українська"}
DEFAULT = "en"
ONE_YEAR = 365 * 24 * 3600

# What a reader most likely counts in, by the territory (or, where there is none, the language) of the
# browser's first wish.
CURRENCY_OF_TERRITORY = {"UA": "UAH", "GB": "GBP", "US": "USD"}
CURRENCY_OF_LANGUAGE = {"uk": "UAH"}

bp = Blueprint("i18n", __name__)


def install(app: Flask) -> None:
    """Connect Flask-Babel, the language switch and what every template needs of both."""
    zone = app.extensions["membership.settings"].newsroom_zone
    Babel(app, default_locale=DEFAULT, default_timezone=zone, locale_selector=select_locale)
    app.register_blueprint(bp)
    app.context_processor(_for_templates)


def select_locale() -> str:
    """The language of this request: `?lang=`, then the cookie, then Accept-Language, then the newsroom's default;
    only those that it offers.
    """
    if not has_request_context():
        return DEFAULT
    offered = house().languages
    for wish in (request.args.get("lang"), request.cookies.get(cookie_name())):
        if wish is not None and wish in offered:
            return wish
    # Not `best_match`: to "uk-UA, en;q=0.5" it answers "en", since only that is one of ours to the letter.
    wishes = (tag.replace("_", "-").partition("-")[0].lower() for tag, quality in request.accept_languages if quality)
    return next((wish for wish in wishes if wish in offered), house().default_language)


def offered_languages(*besides: str | None) -> list[tuple[str, str]]:
    """Code and own name of each language that the newsroom offers, and of those `besides` that something is in."""
    wanted = {*house().languages, *besides}
    return [(code, name) for code, name in LANGUAGES.items() if code in wanted]


def spoken(code: str) -> str:
    """The language in which somebody is written to who has chosen `code`: the default where it is no longer offered."""
    known = house()
    return code if code in known.languages else known.default_language


def current_locale() -> str:
    """The language in use, "en" or "uk": of the request, or the one that `force_locale` set."""
    locale = get_locale()
    return str(locale.language) if locale is not None else DEFAULT


def currency_for_request(offered: Sequence[str]) -> str:
    """Which of the `offered` currencies (at least one, in the newsroom's order) to show this reader first.

    From the browser's first language; the euro for everyone else, or the first one where no euro is offered.
    """
    first = next(iter(request.accept_languages.values()), "")
    parts = first.replace("_", "-").split("-")
    guess = CURRENCY_OF_TERRITORY.get(parts[-1].upper()) if len(parts) > 1 else CURRENCY_OF_LANGUAGE.get(parts[0])
    for currency in (guess, CURRENCY_OF_LANGUAGE.get(parts[0].lower()), "EUR"):
        if currency is not None and currency in offered:
            return currency
    return offered[0]


def cookie_name() -> str:
    """The name of the cookie that holds the chosen language."""
    return settings().cookie_prefix + "lang"


def language_url(code: str) -> str:
    """Where a reader gets this same page in the language `code`, which is then remembered."""
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    place = request.path + ("?" + urlencode(query) if query else "")
    return f"/lang/{code}?" + urlencode({"to": place})


@bp.get("/lang/<code>")
@audience("public")
def choose(code: str) -> ResponseReturnValue:
    """Remember a language and go back to the page that was being read."""
    if code not in house().languages:
        raise NotFound
    place = own_place(request.args.get("to")) or "/"
    path, _, query = place.partition("?")
    kept = urlencode([(name, value) for name, value in parse_qsl(query) if name != "lang"])
    answer = redirect(path + ("?" + kept if kept else ""), 303)
    answer.set_cookie(
        cookie_name(), code, max_age=ONE_YEAR, path="/", secure=settings().is_secure, httponly=True, samesite="Lax"
    )
    return answer


def _for_templates() -> dict[str, object]:
    known, ours = settings(), house()
    return {
        "locale": current_locale(),
        "languages": [(code, LANGUAGES[code], language_url(code)) for code in ours.languages]
        if has_request_context()
        else [],
        "newsroom": {"name": ours.name, "contact": ours.contact},
        "theme_url": ours.theme_url,
        "is_demo": known.demo,
        "public_url": known.public_url,
    }
