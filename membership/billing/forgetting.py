"""Erasure in billing: bodies of notices and requests that name somebody who is to be forgotten are emptied.

The provider may write about them for years (a dispute, a report), so the names under which it knew them (ids, never
an address) are kept, and what comes later is emptied soon after it came.
"""

import json
import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.billing.inspections import find_bookmark, move_bookmark
from membership.billing.models import ForgottenName, InboxEvent, ProviderIntent
from membership.db import db, is_sqlite, transaction
from membership.kernel import clock

# Names as a notice quotes them.
NAME = re.compile(rb'"([A-Za-z0-9_-]{6,255})"')
# Up to when (real time) what came was looked through; each look begins a little before the end of the last one, since a
# notice is seen only when it is committed. However long no worker runs, nothing is missed.
LOOKED, OVERLAP = "forgotten", timedelta(minutes=10)
AT_A_TIME = 500


def forget(names: Collection[str], addresses: Collection[str], at: datetime) -> None:
    """Empty every notice and request that holds one of `names` or, between quotation marks, one of `addresses`;
    remember the names. Joins the erasure's transaction. A notice that waits stays: its object is read again without
    its body.
    """
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    with transaction("billing.forget_names"):
        for name in sorted(names):
            row = {"name": name, "forgotten_at": at}
            db.session.execute(insert(ForgottenName).values(**row).on_conflict_do_nothing())
        needles = [each.encode() for each in (*names, *_quoted(addresses))]
        _empty_notices([row_id for row_id, body in _bodies(None) if any(each in body for each in needles)])
        _empty_requests(names, addresses)


def _quoted(addresses: Collection[str]) -> list[str]:
    """As JSON writes them: an address can be the end or the beginning of somebody else's."""
    return [f'"{address}"' for address in addresses]


def sweep() -> int:
    """Empty what came since the last look about somebody who was forgotten before; how many notices."""
    if db.session.scalar(select(ForgottenName.name).limit(1)) is None:
        return 0
    began, looked_until = clock.real_now(), find_bookmark(LOOKED)
    since = None if looked_until is None else min(looked_until, began) - OVERLAP
    named = {row_id: set(NAME.findall(body)) for row_id, body in _bodies(since)}
    asked = {name.decode() for names in named.values() for name in names}
    known = {name.encode() for name in _known(sorted(asked))}
    found = [row_id for row_id, names in named.items() if names & known]
    with transaction("billing.forget_again"):
        _empty_notices(found)
        move_bookmark(LOOKED, began)
    return len(found)


def _known(names: list[str]) -> Iterator[str]:
    for start in range(0, len(names), AT_A_TIME):
        part = names[start : start + AT_A_TIME]
        yield from db.session.scalars(select(ForgottenName.name).where(ForgottenName.name.in_(part)))


def _bodies(since: datetime | None) -> Iterator[tuple[str, bytes]]:
    """Ids and bodies of notices that have one still, of those that came after `since` (real time)."""
    query = select(InboxEvent.id, InboxEvent.body).where(InboxEvent.body.is_not(None))
    if since is not None:
        query = query.where(InboxEvent.received_at >= since)
    with db.session.execute(query.execution_options(yield_per=AT_A_TIME)) as rows:
        for row_id, body in rows:
            yield row_id, bytes(body or b"")


def _empty_notices(row_ids: list[str]) -> None:
    for start in range(0, len(row_ids), AT_A_TIME):
        part = row_ids[start : start + AT_A_TIME]
        empty = update(InboxEvent).where(InboxEvent.id.in_(part)).values(body=None, traceback=None)
        db.session.execute(empty, execution_options={"synchronize_session": False})


def _empty_requests(names: Collection[str], addresses: Collection[str]) -> None:
    """Pages of these names can no longer be looked up here; a request that holds an address is given up: one of
    `addresses`, or whichever was typed for these names.
    """
    unlike = "0" * 64  # an address can be found from its digest by trying
    rows = or_(
        ProviderIntent.request.is_not(None), ProviderIntent.url.is_not(None), ProviderIntent.reference.in_(names),
        ProviderIntent.subject.in_(names),
    )  # fmt: skip
    for intent in db.session.scalars(select(ProviderIntent).where(rows)).all():
        words = json.dumps([intent.request, intent.reference, intent.subject, intent.provider_id], ensure_ascii=False)
        is_named = any(name in words for name in names)
        holds_address = any(address in words for address in _quoted(addresses))
        if holds_address or (is_named and "email" in (intent.request or {})):
            intent.request, intent.state, intent.error = None, "refused", "erased"
            intent.answered_at, intent.lease_until = clock.real_now(), clock.real_now()
        if is_named or holds_address:
            intent.url, intent.request_digest = None, unlike
            if "http" in json.dumps(intent.result):
                intent.result = None
