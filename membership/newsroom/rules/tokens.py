"""Reading the colours of a style sheet. Pure functions of values."""

import re

from membership.newsroom.rules.faults import Tokens

_NAMED = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-fA-F]{3,8})\b")


def read_tokens(css: str) -> Tokens:
    """The colours that `css` names: light ones are the first of their name, dark ones the last."""
    named = [(name, colour.lower()) for name, colour in _NAMED.findall(css)]
    return Tokens(light=dict(reversed(named)), dark=dict(named))
