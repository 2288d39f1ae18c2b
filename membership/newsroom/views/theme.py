"""The newsroom's own colours as a style sheet: for readers, and for staff who try colours out."""

import re

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from membership.kernel.errors import NotFound
from membership.newsroom.queries import bounds, tokens
from membership.newsroom.queries.history import find_theme
from membership.newsroom.rules.colours import SCHEMES, Colours, Palette, trial_css
from membership.web.access import audience

theme_bp = Blueprint("theme", __name__)

FOR_EVER = "public, max-age=31536000, immutable"
# As `trial_name` writes it: six colours, an empty one as "-".
SIX = re.compile(r"(?:[0-9a-f]{6}|-)(?:\.(?:[0-9a-f]{6}|-)){5}")


@theme_bp.get("/theme-<mark>.css")
@audience("public")
def theme(mark: str) -> ResponseReturnValue:
    """The colours of this mark. Another mark is another style sheet, so nobody needs to ask twice; earlier ones stay
    for pages that were opened before a change.
    """
    css = find_theme(mark)
    if css is None:
        raise NotFound("no_theme", "There is no such style sheet.")
    return Response(css, mimetype="text/css", headers={"Cache-Control": FOR_EVER})


@theme_bp.get("/staff/settings/colours/trial-<six>.css")
@audience("staff", may="settings.see")
def trial(six: str) -> ResponseReturnValue:
    """Both schemes beside each other in these colours, whatever the reader's own screen prefers."""
    colours = read_trial(six)
    if colours is None or colours.faults(bounds()):
        raise NotFound("no_theme", "There is no such style sheet.")
    return Response(trial_css(colours, tokens()), mimetype="text/css")


def trial_name(colours: Colours) -> str:
    """Six colours as a part of an address: light accent, strong and ink, then the dark ones."""
    values = [value for scheme in SCHEMES for value in _three(getattr(colours, scheme))]
    return ".".join((value or "-").removeprefix("#") for value in values)


def read_trial(six: str) -> Colours | None:
    """The opposite of `trial_name`; None for what it never writes."""
    if not SIX.fullmatch(six):
        return None
    values = [None if part == "-" else f"#{part}" for part in six.split(".")]
    return Colours(Palette(*values[:3]), Palette(*values[3:]))


def _three(palette: Palette) -> tuple[str | None, str | None, str | None]:
    return palette.accent, palette.strong, palette.ink
