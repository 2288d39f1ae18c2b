"""Who is told. Rooms above answer for their own people; `wiring.AUDIENCES` joins them to names.

An audience such as "topics.stage" is one or more sources. Whoever is in two of them gets one mail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import current_app

from membership.mail.catalogue import Args


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of an audience: where the mail goes, and in which language ("en" or "uk")."""

    person_id: int
    email: str
    locale: str


# `source(args, after_person_id, limit)`: the people of the audience whose id is greater than `after_person_id`, in
# order of their ids, at most `limit`; empty when nobody is left. It is asked inside a transaction and must be cheap
# for any `after_person_id`. Somebody without an address is left out.
Source = Callable[[Args, int, int], Sequence[Recipient]]
Audiences = Mapping[str, tuple[Source, ...]]


def sources_of(audience: str) -> dict[str, Source]:
    """The sources of an audience by their names, in order; LookupError for an audience that nobody wired."""
    audiences: Audiences = current_app.extensions["membership.audiences"]
    if audience not in audiences:
        raise LookupError(f"No audience is called {audience!r}; is it in wiring.AUDIENCES?")
    return {f"{_room(source)}.{source.__name__}": source for source in audiences[audience]}


def _room(source: Source) -> str:
    """The room that a source is of, so that its name stays the same wherever in the room it stands."""
    return source.__module__.removeprefix("membership.").partition(".")[0]
