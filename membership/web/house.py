"""What every page shows of the newsroom, asked of the room that knows it: `wiring` says which."""

from dataclasses import dataclass
from typing import cast

from flask import current_app


@dataclass(frozen=True, slots=True)
class House:
    """The newsroom as the frame of every page has it.

    `contact`: where readers write to, None where that is nowhere said. `languages`: codes of those that are offered,
    at least one, in their order. `theme_url`: the style sheet of the newsroom's own colours, None where there is none.
    """

    name: str
    contact: str | None
    languages: tuple[str, ...]
    default_language: str
    theme_url: str | None
    theme_css: str


def house() -> House:
    """The newsroom as it is now."""
    return cast("House", current_app.extensions["membership.house"]())
