"""Notices that never reached us, fetched from the provider's own list (W12).

Two looks at every list. What followed the last notice that we have seen, oldest first: it finds everything after days
in which our endpoint was dark, even where the provider believes that nobody wanted to be told. And what some endpoint
has not taken in the last days: it finds what fell through in between. Both go through the same door as a webhook, so
what is here already changes nothing, and what is new is worked off by reading its object.
"""

from datetime import datetime, timedelta

import structlog
from flask import current_app
from sqlalchemy import select

from membership.billing import inbox
from membership.billing.models import Bookmark
from membership.billing.port import ListedNotice, NoticePage, PaymentProvider
from membership.db import db, outside_call, transaction

log = structlog.get_logger(__name__)

LISTED_FOR = timedelta(days=30)
"""How long providers list notices."""

TRIED_FOR = timedelta(days=4)
"""How long providers try to deliver one; what is older was found by the other look, at the latest."""

# Lists are not quite in order at their newest end: a notice may appear behind one that is a little younger.
STILL_MOVING = timedelta(minutes=2)


def sweep(now: datetime) -> int:
    """Store every notice that was listed and is not here; returns how many. Raises ProviderFailed."""
    provider = _provider()
    n_new = sum(_newer(name, now) + _undelivered(name, now) for name in provider.notice_lists())
    if n_new:
        log.warning("notices_swept", n_notices=n_new)
    return n_new


def _newer(name: str, now: datetime) -> int:
    """What followed the bookmark, oldest first; the bookmark moves with every page, so a kill costs one page."""
    bookmark = db.session.get(Bookmark, _bookmark_name(name), populate_existing=True)
    if bookmark is None:
        return _from_the_newest(name, now - LISTED_FOR)
    n_new, at, cursor = 0, bookmark.at, bookmark.ref
    while True:
        page = _ask(name, newer_than=cursor)
        if not page.is_known:
            return n_new + _from_the_newest(name, at - STILL_MOVING)
        n_new += _take_in(page)
        _move_bookmark(name, page.rows)
        cursor = page.newest_id
        if not page.has_more or cursor is None:
            return n_new


def _from_the_newest(name: str, since: datetime) -> int:
    """Everything since `since`, newest first, where there is no notice to begin behind. Only once all of it is here
    the bookmark is set: a kill makes it begin anew.
    """
    n_new, cursor, newest = 0, None, None
    while True:
        page = _ask(name, older_than=cursor, since=since)
        n_new += _take_in(page)
        newest = newest or page
        cursor = page.oldest_id
        if not page.has_more or cursor is None:
            _move_bookmark(name, newest.rows, is_anew=True)
            return n_new


def _undelivered(name: str, now: datetime) -> int:
    n_new, cursor = 0, None
    while True:
        page = _ask(name, older_than=cursor, since=now - TRIED_FOR, is_undelivered=True)
        n_new += _take_in(page)
        cursor = page.oldest_id
        if not page.has_more or cursor is None:
            return n_new


def _provider() -> PaymentProvider:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    return provider


def _ask(
    name: str,
    *,
    newer_than: str | None = None,
    older_than: str | None = None,
    since: datetime | None = None,
    is_undelivered: bool = False,
) -> NoticePage:
    with outside_call("stripe.notices"):
        return _provider().list_notices(
            name, newer_than=newer_than, older_than=older_than, since=since, is_undelivered=is_undelivered
        )


def _take_in(page: NoticePage) -> int:
    return inbox.take_in(page.rows) if page.rows else 0


def _bookmark_name(name: str) -> str:
    return f"sweep {name}"


def _move_bookmark(name: str, rows: tuple[ListedNotice, ...], *, is_anew: bool = False) -> None:
    """To the newest of `rows` that nothing younger than it can appear in front of any more; where there is none it
    stays, or goes to the oldest of them where it begins anew.
    """
    settled = [row for row in rows if row.notice.created_at <= rows[-1].notice.created_at - STILL_MOVING]
    last = settled[-1:] or (rows[:1] if is_anew else ())
    if not last:
        return
    ref, at = last[0].notice.event_id, last[0].notice.created_at
    with transaction("billing.bookmark"):
        bookmark = db.session.scalar(select(Bookmark).where(Bookmark.name == _bookmark_name(name)).with_for_update())
        if bookmark is None:
            db.session.add(Bookmark(name=_bookmark_name(name), ref=ref, at=at))
        elif is_anew or bookmark.at <= at:
            bookmark.ref, bookmark.at = ref, at
