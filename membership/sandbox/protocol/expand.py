"""`expand[]`: ids in an answer replaced by the objects that they name."""

from typing import Any

from membership.sandbox.kinds import KINDS, Obj, public
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.world import World

_MAX_DEPTH = 4


def expand(world: World, answer: Obj, paths: list[str]) -> Obj:
    """The answer with `paths` (such as `latest_invoice.payments` or `data.customer`) expanded.

    ApiError 400 for a path that is deeper than four levels or names nothing that can be expanded.
    """
    for path in paths:
        parts = path.split(".")
        if len(parts) > _MAX_DEPTH:
            raise ApiError(f"You cannot expand more than 4 levels of a property (property: {path}).", param="expand")
        _expand(world, answer, parts, path)
    return answer


def _expand(world: World, node: Any, parts: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(world, item, parts, path)
        return
    if not isinstance(node, dict) or not parts:
        return
    name, rest = parts[0], parts[1:]
    kind = KINDS.get(str(node.get("object")))
    if kind is not None and name in kind.lazy and not isinstance(node.get(name), dict):
        source = world.store.get(node["id"]) or node
        node[name] = kind.lazy[name](world, source)
    elif name not in node:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    elif isinstance(node[name], str):
        found = world.store.get(node[name])
        if found is None:
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
        node[name] = public(found)
    elif isinstance(node[name], list) and all(isinstance(item, str) for item in node[name]):
        node[name] = [public(world.store.get(item) or {"id": item}) for item in node[name]]
    _copy(node, name)
    _expand(world, node[name], rest, path)


def _copy(node: Obj, name: str) -> None:
    """Expansion writes into the answer, never into what is kept."""
    value = node[name]
    if isinstance(value, dict):
        node[name] = dict(value)
        if isinstance(value.get("data"), list):
            node[name]["data"] = [dict(item) if isinstance(item, dict) else item for item in value["data"]]
