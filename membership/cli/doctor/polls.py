"""What the doctor says about polls: their keys, and those that cannot go on."""

import os
from collections.abc import Iterator

from sqlalchemy import select

from membership.cli.doctor.finding import Finding, fine, problem
from membership.db import db
from membership.polls import keys
from membership.polls.models import Poll


def examine() -> Iterator[Finding]:
    """Every finding about open polls and the folder of their keys."""
    names = dict.fromkeys(db.session.scalars(select(Poll.public_id).where(Poll.state == "open")), False)
    for name in names:
        names[name] = keys.find(name) is not None
    without_key = [name for name, has_key in names.items() if not has_key]
    if without_key:
        yield problem(
            "poll_without_key",
            f"The key of an open poll is missing from {keys.folder()}: {', '.join(without_key)}.",
            "Nobody can vote in it, and the ballots that were cast can never be counted. The worker cancels it.",
            "Check KEYS_PATH on every machine; if the file is only elsewhere, put it back before the worker runs.",
        )
    strangers = [name for name in keys.list_polls() if name not in names]
    if strangers:
        yield problem(
            "key_without_poll",
            f"{keys.folder()} holds keys of polls that are not open: {', '.join(strangers)}.",
            "With the key of a closed poll an old backup could be opened.",
            "The worker destroys them within minutes, those of polls that this database does not know after a day.",
        )
    for poll in db.session.scalars(select(Poll).where(Poll.state == "open", Poll.trouble.is_not(None))):
        yield problem(
            "poll_in_trouble",
            f"The poll {poll.public_id} cannot be counted ({poll.trouble}).",
            "Its ballots do not prove to be what members cast: rows were changed, put in, or lost.",
            "Find out who wrote to the database; then cancel the poll on the staff pages, with a public reason.",
        )
    if not _can_write():
        yield problem(
            "poll_keys_folder",
            f"The folder of poll keys cannot be written: {keys.folder()}.",
            "No poll can be opened, and no key destroyed.",
            "Make it writable for web server and worker, or set KEYS_PATH.",
        )
    elif names and not (without_key or strangers):
        yield fine("poll_keys", "Every open poll has its key.")


def _can_write() -> bool:
    """Whether the folder, or the first one above it that exists, can be written."""
    place = keys.folder().absolute()
    while not place.exists():
        place = place.parent
    return os.access(place, os.W_OK | os.X_OK)
