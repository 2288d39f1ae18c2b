"""Headers on every answer, and who may change something: Origin, Sec-Fetch-Site and a form token.

Sources: security.md S10, S14, S22, S42; decisions 25 and 28. Flask-Talisman is not kept, so the headers are here.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from flask import Flask, Response, current_app, request
from flask_login import current_user
from flask_wtf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from membership.config import LOOPBACK_HOSTS, Settings
from membership.web import settings
from membership.web.access import audience_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 1024 * 1024
LONGEST_FORM = 256 * 1024
MOST_FIELDS = 200
FORM_OPEN_SECONDS = 24 * 3600
UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
PAYMENT_PAGES = ("https://checkout.stripe.com", "https://billing.stripe.com", "https://invoice.stripe.com")

# The only paths that take a change without a form token: other programs, which sign what they send, and the
# newsroom's own pages, whose origin is asked for (but where they only count) and whose cookies nobody looks at. A route
# leaves the protection only by standing here AND being made for `machine`; a house test compares the two.
CSRF_EXEMPT = frozenset({
    "/stripe/webhook", "/demo/clock", "/embed/corrections", "/embed/events", "/mail/stop/<token>",
    "/mail/stop/<token>/undo",
})  # fmt: skip

NOT_NEEDED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
    "microphone", "midi", "payment", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock",
    "serial", "usb",
)  # fmt: skip

_csrf = CSRFProtect()


class CrossSite(Forbidden):
    """Another website sent this."""

    house_code = "cross_site"


def install(app: Flask, known: Settings) -> None:
    """Limits on bodies, trusted hosts and proxies, protection of forms, and the headers."""
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LONGEST_FORM,
        MAX_FORM_PARTS=MOST_FIELDS,
        TRUSTED_HOSTS=[urlsplit(known.public_url).hostname],
        PREFERRED_URL_SCHEME=urlsplit(known.public_url).scheme,
        WTF_CSRF_CHECK_DEFAULT=False,  # _protect_forms below decides by audience
        WTF_CSRF_TIME_LIMIT=FORM_OPEN_SECONDS,
        WTF_CSRF_SSL_STRICT=False,  # Origin and Sec-Fetch-Site say more than Referer, which some browsers drop
    )
    if known.trusted_proxies:
        # Address and scheme only: the host is compared with PUBLIC_URL as the browser sent it.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=known.trusted_proxies, x_proto=known.trusted_proxies, x_host=0
        )
    if known.demo:
        app.wsgi_app = _by_its_one_name(app.wsgi_app, known.public_url)  # type: ignore[method-assign,assignment]
    _csrf.init_app(app)
    app.before_request(_refuse_nul)
    app.before_request(_protect_forms)
    app.extensions["membership.check_form"] = _protect_forms
    app.extensions["membership.csp"] = content_policy(known)
    app.after_request(_put_headers)


def _by_its_one_name(inner: "WSGIApplication", public_url: str) -> "WSGIApplication":
    """Send who typed another name of this machine ("localhost") to the name that the demo's cookies and forms know."""
    names = LOOPBACK_HOSTS - {urlsplit(public_url).hostname}

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname in names:
            query = environ.get("QUERY_STRING")
            place = public_url + quote(environ.get("PATH_INFO", "/")) + (f"?{query}" if query else "")
            return Response(status=307, headers={"Location": place})(environ, start_response)
        return inner(environ, start_response)

    return answer


def content_policy(known: Settings, **changes: str) -> str:
    """The Content-Security-Policy of a page, as a header value.

    `changes` replace or add directives for one page, with `_` for `-` in their names, such as
    `frame_src="'self'"`; a view sets the result on its response. Scripts stay as they are, always.
    """
    form_targets = ["'self'", *PAYMENT_PAGES]
    if known.stripe_api_base:
        form_targets.append(_origin(known.stripe_api_base))
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": " ".join(form_targets),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
        "require-trusted-types-for": "'script'",
    }
    for name, value in changes.items():
        directive = name.replace("_", "-")
        if directive in {"script-src", "default-src", "require-trusted-types-for"}:
            raise ValueError(f"{directive} is the same on every page.")
        directives[directive] = value
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def permissions(*needed: str) -> str:
    """The Permissions-Policy of a page, as a header value: nothing of what browsers can do, but what is `needed`."""
    return ", ".join(f"{feature}=({'self' if feature in needed else ''})" for feature in NOT_NEEDED)


View = TypeVar("View", bound=Callable[..., Any])


def takes_files(largest: int) -> Callable[[View], View]:
    """Decorator of a view, below the route: it takes a body of up to `largest` bytes, for an upload.

    The door is asked first, so that only those who may open the view can send so much.
    """

    def mark(view: View) -> View:
        view.largest_body = largest  # type: ignore[attr-defined]
        return view

    return mark


def is_exempt(path_pattern: str, audience: str | None) -> bool:
    """Whether a route may be changed without a form token: listed here and made for machines."""
    return audience == "machine" and path_pattern in CSRF_EXEMPT


def _refuse_nul() -> None:
    """Nothing here has an address with a NUL, and PostgreSQL would not even look for it."""
    if "\0" in request.path or any("\0" in value for _, value in request.args.items(multi=True)):
        raise NotFound


def _protect_forms() -> None:
    if request.method not in UNSAFE_METHODS or request.url_rule is None:
        return
    if is_exempt(request.url_rule.rule, audience_of(request.endpoint)):
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if (largest := getattr(view, "largest_body", None)) is not None:
        request.max_content_length = largest
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise CrossSite
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != _origin(settings().public_url):
        raise CrossSite
    _csrf.protect()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _put_headers(response: Response) -> Response:
    known = settings()
    headers = response.headers
    headers.setdefault("Content-Security-Policy", current_app.extensions["membership.csp"])
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", permissions())
    if known.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    _say_who_may_keep(response)
    return response


def _say_who_may_keep(response: Response) -> None:
    if request.endpoint == "static" or audience_of(request.endpoint) == "machine" or response.cache_control.immutable:
        return
    response.vary.update(("Accept-Language", "Cookie"))
    if _is_signed_in():
        response.headers["Cache-Control"] = "no-store"
    else:
        response.headers.setdefault("Cache-Control", "private, no-cache")


def _is_signed_in() -> bool:
    try:
        return bool(current_user and current_user.is_authenticated)
    except SQLAlchemyError:  # the page about a database that is gone still leaves, and nobody keeps it
        return True
