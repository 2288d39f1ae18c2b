"""The link "no more mails about this": one click, without signing in (RFC 8058, security.md S45).

The address names what it stops and for whom, signed by us. Looking at it changes nothing, since mail scanners look
too; a POST to it stops, whoever sends it: the reader's button, or the mail program with its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app

from membership.db import transaction
from membership.kernel.errors import InvalidInput, NotFound
from membership.web.links import absolute
from membership.web.tokens import read_signed, signed

# Old mails are kept for years, and a link that does nothing is a complaint to the mail provider.
LIFE = timedelta(days=5 * 365)
PURPOSE = "mail.stop"


@dataclass(frozen=True, slots=True)
class Stopper:
    """How one kind of news is stopped; `wiring.STOPPERS` has one for each.

    `stop(row_id, person_id)`: all of these stop it, in one transaction, and do nothing where it was stopped
    before. `name_of(row_id)`: what it is about, as its reader knows it; None where it is gone.
    `resume(row_id, person_id)` undoes it, where that is possible.
    """

    stop: tuple[Callable[[int, int], object], ...]
    name_of: Callable[[int], str | None]
    resume: Callable[[int, int], object] | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a link stops, for whom; `name` is None where that is gone."""

    stopper: Stopper
    row_id: int
    person_id: int
    name: str | None


def stop_url(what: str, row_id: int, person_id: int) -> str:
    """The address that stops mails about one `what` (a name in `wiring.STOPPERS`) for one person, for five years.

    As `stop_url` in the context of a mail it becomes the last line of the mail and its List-Unsubscribe header.
    """
    token = signed(PURPOSE, [what, row_id, person_id], int(LIFE.total_seconds()))
    return absolute("mail.stop_page", token=token)


def read(token: str) -> Wish:
    """What a link wants to stop; NotFound `stop_unknown` for a link that is not ours, too old, or of no use now."""
    try:
        what, row_id, person_id = read_signed(PURPOSE, token)
    except InvalidInput as error:
        raise NotFound("stop_unknown", "This link does not stop any mails.") from error
    stoppers: Mapping[str, Stopper] = current_app.extensions["membership.stoppers"]
    stopper = stoppers.get(what)
    if stopper is None:
        raise NotFound("stop_unknown", "This link does not stop any mails.")
    return Wish(stopper, row_id, person_id, stopper.name_of(row_id))


def stop(token: str) -> Wish:
    """Stop what the link names, at once; the same again does nothing. NotFound as `read`."""
    wish = read(token)
    with transaction("mail.stop"):
        for each in wish.stopper.stop:
            each(wish.row_id, wish.person_id)
    return wish


def resume(token: str) -> Wish:
    """Let the mails come again that the link stops; NotFound as `read`, also where that cannot be undone."""
    wish = read(token)
    if wish.stopper.resume is None:
        raise NotFound("stop_unknown", "This link does not stop any mails.")
    with transaction("mail.resume"):
        wish.stopper.resume(wish.row_id, wish.person_id)
    return wish
