"""What is said about polls: their keys, and those that cannot go on."""

import os
from collections.abc import Iterator

from sqlalchemy import select

from membership.db import db
from membership.kernel.said import said
from membership.operations.examining.finding import Finding, fine, problem
from membership.polls import keys
from membership.polls.models import Poll


def examine() -> Iterator[Finding]:
    """Every finding about open polls and the folder of their keys, as this machine sees it."""
    names = dict.fromkeys(db.session.scalars(select(Poll.public_id).where(Poll.state == "open")), False)
    for name in names:
        names[name] = keys.find(name) is not None
    without_key = [name for name, has_key in names.items() if not has_key]
    strangers = [name for name in keys.list_polls() if name not in names]
    yield from _keys(without_key, strangers)
    for poll in db.session.scalars(select(Poll).where(Poll.state == "open", Poll.trouble.is_not(None))):
        yield problem(
            "poll_in_trouble",
            said("The poll %(poll)s cannot be counted (%(trouble)s).", poll=poll.public_id, trouble=poll.trouble or ""),
            said("Its ballots do not prove to be what members cast: rows were changed, put in, or lost."),
            said("Find out who wrote to the database; then cancel the poll on the staff pages, with a public reason."),
        )
    if not _can_write():
        yield problem(
            "poll_keys_folder",
            said("The folder of poll keys cannot be written: %(folder)s.", folder=str(keys.folder())),
            said("No poll can be opened, and no key destroyed."),
            said("Make it writable for web server and worker, or set KEYS_PATH."),
        )
    elif names and not (without_key or strangers):
        yield fine("poll_keys", said("Every open poll has its key."))


def _keys(without_key: list[str], strangers: list[str]) -> Iterator[Finding]:
    folder = str(keys.folder())
    if without_key:
        polls = ", ".join(without_key)
        yield problem(
            "poll_without_key",
            said("The key of an open poll is missing from %(folder)s: %(polls)s.", folder=folder, polls=polls),
            said("Nobody can vote in it, and the ballots that were cast can never be counted. The worker cancels it."),
            said(
                "Check KEYS_PATH on every machine; if the file is only elsewhere, put it back before the worker runs."
            ),
        )
    if strangers:
        polls = ", ".join(strangers)
        yield problem(
            "key_without_poll",
            said("%(folder)s holds keys of polls that are not open: %(polls)s.", folder=folder, polls=polls),
            said("With the key of a closed poll an old backup could be opened."),
            said(
                "The worker destroys them within minutes, those of polls that this database does not know after a day."
            ),
        )


def _can_write() -> bool:
    """Whether the folder, or the first one above it that exists, can be written."""
    place = keys.folder().absolute()
    while not place.exists():
        place = place.parent
    return os.access(place, os.W_OK | os.X_OK)
