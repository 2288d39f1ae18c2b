"""Nested form bodies: `items[0][price]=price_1` becomes {"items": [{"price": "price_1"}]}."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from membership.sandbox.protocol.errors import ApiError

_PART = re.compile(r"\[([^\[\]]*)\]")
_MAX_FIELDS = 2000


def parse(text: str) -> dict[str, Any]:
    """Read a query string or a form body. Every leaf is a string; ApiError 400 where names contradict."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise ApiError("The request has too many parameters.") from error
    return nest(pairs)


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Build the tree of `pairs`; indexes may be numbers or empty (`expand[]`), and 0 to n-1 make a list."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        root, bracket, rest = name.partition("[")
        _insert(tree, [root, *_PART.findall(bracket + rest)], value, name)
    return {key: _tidy(value) for key, value in tree.items()}


def _insert(tree: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for part in path[:-1]:
        branch = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(branch, dict):
            raise ApiError(f"Invalid request: {name} is both a value and a map.", param=name)
        tree = branch
    tree[path[-1] or str(len(tree))] = value


def _tidy(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and set(value) == {str(i) for i in range(len(value))}:
        return [_tidy(value[str(i)]) for i in range(len(value))]
    return {key: _tidy(item) for key, item in value.items()}
