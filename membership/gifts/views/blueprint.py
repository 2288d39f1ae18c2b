"""The one blueprint of gifts, and what its errors say to readers."""

from flask import Blueprint
from flask_babel import lazy_gettext as _l

from membership.web import errors

bp = Blueprint("gifts", __name__)

errors.explain(
    "gift_moved_on",
    _l("This gift was mailed, redeemed or returned meanwhile. Nothing was changed; go back and look at it once more."),
)
