"""Every mail that this house can write. A mail is one function in its room's `emails.py` and three templates.

    @mail("contributions/receipt", example={"charged": Money(400, "EUR"), "name": "Olena"})
    def receipt(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
        ...

The function turns the ids of the outbox row into the context of `templates/emails/<name>/{subject.txt,
body.txt,body.html}`. It runs when the mail leaves, outside any transaction; it may open one of its own (a
sign-in secret is made then, and so is stored nowhere in the clear). It answers None when the mail is no
longer wanted. `example` is a context such as the function would answer, for previews and tests.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Args = dict[str, int | str]
Context = dict[str, Any]
Build = Callable[[Args, datetime], Context | None]


class About(StrEnum):
    """What a mail is about, so that a person may want all but that. ALWAYS: their money, their sign-in, an answer to
    what they did; nobody can stop those.
    """

    ALWAYS = "always"
    TOPICS = "topics"
    POLLS = "polls"
    REMINDERS = "reminders"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One kind of mail: its name "<room>/<mail>", the function that finds its context, and an example of that."""

    kind: str
    build: Build
    example: Context = field(repr=False)
    about: About = About.ALWAYS

    @property
    def purpose(self) -> str:
        """Why it is sent: the first line of the function's docstring, for the staff catalogue."""
        return (self.build.__doc__ or "").strip().partition("\n")[0]

    def template(self, part: str) -> str:
        """The template of a part: "subject.txt", "body.txt" or "body.html"."""
        return f"emails/{self.kind}/{part}"


_entries: dict[str, CatalogueEntry] = {}


def mail(kind: str, example: Context | None = None, about: About = About.ALWAYS) -> Callable[[Build], Build]:
    """Decorator: this function is the mail `kind` ("<room>/<mail>"); ValueError if two claim one name.

    A mail that can be stopped (`about` anything but ALWAYS) is sent with "person_id" among its args, as broadcasts
    do by themselves: whoever wants none of its sort gets none.
    """

    def register(build: Build) -> Build:
        known = _entries.get(kind)
        if known is not None and (known.build.__module__, known.build.__name__) != (build.__module__, build.__name__):
            raise ValueError(f"Two mails are called {kind!r}.")
        _entries[kind] = CatalogueEntry(kind, build, example or {}, about)
        return build

    return register


def find_entry(kind: str) -> CatalogueEntry | None:
    """The mail of this name; None for one that this version does not know."""
    return _entries.get(kind)


def all_mails() -> list[CatalogueEntry]:
    """Every mail whose room is loaded, by name."""
    return [_entries[kind] for kind in sorted(_entries)]


def list_stoppable() -> list[About]:
    """What somebody may stop, in the order of `About`: sorts of which there is a mail at all."""
    used = {entry.about for entry in _entries.values()}
    return [about for about in About if about in used and about is not About.ALWAYS]
