"""Lists: newest first, with cursors and filters, as every list of the API."""

import json
from collections.abc import Sequence
from typing import Any

from membership.sandbox.kinds import Kind, Obj, public
from membership.sandbox.protocol.errors import ApiError, no_such
from membership.sandbox.world import World

PAGING = "limit starting_after ending_before created"
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_MAX_LIMIT = 100


def page(
    world: World,
    kind: Kind,
    params: Obj,
    where: Obj | None = None,
    conditions: Sequence[tuple[str, Any]] = (),
) -> Obj:
    """One page of a kind as a list object.

    Parameters that are filters of the kind narrow it, as do `where` and the SQL `conditions`. ApiError 400 for a
    limit that is not 1 to 100, for two cursors at once and for a cursor that names nothing.
    """
    filters = {name: value for name, value in params.items() if name in kind.filters} | (where or {})
    narrowed, backwards = _cursor(world, kind, params)
    narrowed += [*_created(params.get("created")), *conditions]
    limit = limit_of(params)
    world.store.flush()
    texts = world.store.texts(kind, filters, limit + 1, backwards, narrowed)
    items = [public(json.loads(text)) for text in texts[:limit]]
    if backwards:
        items.reverse()
    return list_object(kind.path, items, has_more=len(texts) > limit)


def list_object(url: str, items: list[Obj], *, has_more: bool = False) -> Obj:
    """Items in the envelope of a list."""
    return {"object": "list", "data": items, "has_more": has_more, "url": url}


def limit_of(params: Obj) -> int:
    """The size of a page; ApiError 400 outside 1 to 100."""
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= _MAX_LIMIT:
        raise ApiError("limit must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    return limit


def _cursor(world: World, kind: Kind, params: Obj) -> tuple[list[tuple[str, Any]], bool]:
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise ApiError("starting_after and ending_before exclude each other.", code="parameters_exclusive")
    if not (after or before):
        return [], False
    param, cursor = ("starting_after", after) if after else ("ending_before", before)
    seq = world.store.seq(kind, str(cursor))
    if seq is None:
        raise no_such(kind.label, str(cursor), param=param, in_path=False)
    return [("seq < ?" if after else "seq > ?", seq)], not after


def _created(value: Any) -> list[tuple[str, Any]]:
    if value is None:
        return []
    if isinstance(value, int):
        return [("created = ?", value)]
    return [(f"created {_COMPARISONS[name]} ?", moment) for name, moment in value.items()]
