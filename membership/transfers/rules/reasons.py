"""Why staff do something, in their words."""

from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line

LONGEST_REASON = 200


def clean_reason(text: str) -> str:
    """One line of at most 200 characters; InvalidInput where there is none, or more."""
    words = one_line(text)
    if not words:
        raise InvalidInput("no_reason", "Please say why in a few words.", field="reason")
    if len(words) > LONGEST_REASON:
        raise InvalidInput("reason_too_long", "Please use at most 200 characters.", field="reason")
    return words
