"""Checks of answers and events against the annotations of the pinned SDK.

An answer may hold only fields that the SDK knows, all of those that it does not call optional, values of the types
that it names, and of its open enums (`Literal[…] | str`) only the values that it lists.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from importlib import import_module
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

from stripe._error_object import ErrorObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import StripeObject, UntypedStripeObject

Check = Callable[[Any, str], Iterator[str]]

# Fields that Stripe answers and the SDK's annotations of the same version leave out.
_UNLISTED = {
    ("billing_portal.session", "customer_account"),
    ("billing_portal.session", "flow"),
}


class WrongShape(Exception):  # noqa: N818 - reads as a sentence
    """An answer that Stripe would not give."""


def check(answer: Any) -> None:
    """WrongShape, naming every wrong place, unless the answer (an object, a list or an error) has the SDK's shape."""
    found = list(findings(answer))
    if found:
        raise WrongShape("; ".join(found))


def findings(answer: Any) -> Iterator[str]:
    """What is wrong with an answer, place by place."""
    if isinstance(answer, dict) and "error" in answer and "object" not in answer:
        yield from _of_fields(ErrorObject)(answer["error"], "error")
    else:
        yield from _object(answer, "")


def _object(value: Any, path: str) -> Iterator[str]:
    """An object that says itself what it is."""
    kind = value.get("object") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in OBJECT_CLASSES:
        yield f"{path or 'the answer'} is no object of Stripe's"
    elif kind == "list":
        yield from _list(value, path)
    elif value.get("deleted"):
        yield from (f"{path}{kind}.{name} on a deleted object" for name in value.keys() - {"id", "object", "deleted"})
    else:
        yield from _of_fields(_class(kind))(value, kind)
        if kind == "event":
            yield from _object(value["data"]["object"], path)


def _list(value: dict[str, Any], path: str) -> Iterator[str]:
    if value.keys() != {"object", "data", "has_more", "url"}:
        yield f"{path or 'the answer'} is no list: {sorted(value)}"
    for item in value.get("data", ()):
        yield from _object(item, path)


@cache
def _class(kind: str) -> type:
    module, name = OBJECT_CLASSES[kind]
    found: type = getattr(import_module(module), name)
    return found


@cache
def _of_fields(shape: type) -> Check:
    """The check of an object of that class, without looking at its `object` field first."""
    checks: dict[str, Check] = {}
    needed = set()
    kind = str(getattr(shape, "OBJECT_NAME", shape.__qualname__))
    for name, hint in _annotations(shape).items():
        checks[name] = _of(hint)
        if not _optional(hint) and name != "deleted":
            needed.add(name)

    def run(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} is {_named(value)}, not an object"
            return
        if not needed <= value.keys():
            yield from (f"{path}.{name} is missing" for name in sorted(needed - value.keys()))
        for name, item in value.items():
            one = checks.get(name)
            if one is not None:
                yield from one(item, f"{path}.{name}")
            elif (kind, name) not in _UNLISTED:
                yield f"{path}.{name} is not known"

    return run


def _annotations(shape: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(shape.__mro__):
        if issubclass(base, StripeObject) and base is not StripeObject:
            found |= get_annotations(base)
    return {name: hint for name, hint in found.items() if name[0] != "_" and get_origin(hint) is not ClassVar}


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


def _optional(hint: Any) -> bool:
    return NoneType in _members(hint)


def _of(hint: Any) -> Check:
    members = [member for member in _members(hint) if member is not NoneType]
    nullable = _optional(hint) or hint is Any
    known = frozenset(value for member in members if get_origin(member) is Literal for value in get_args(member))
    checks = [_single(member, known) for member in members if not (member is str and known)]

    def run(value: Any, path: str) -> Iterator[str]:
        if value is None:
            if not nullable:
                yield f"{path} is null"
            return
        found: list[str] = []
        for one in checks:
            found = list(one(value, path))
            if not found:
                return
        yield from found

    return run


_PLAIN = {int: (int,), str: (str,), bool: (bool,), float: (float, int), Decimal: (str,)}


def _single(hint: Any, known: frozenset[Any]) -> Check:
    origin = get_origin(hint) or hint
    if origin is Literal:
        return _one_of(known)
    if origin in _PLAIN:
        return _of_type(_PLAIN[origin])
    if origin is list:
        return _each(_of(get_args(hint)[0]))
    if origin in {dict, UntypedStripeObject}:
        return _mapping(_of(get_args(hint)[-1]))
    if isinstance(hint, ForwardRef) or hasattr(origin, "OBJECT_NAME"):
        return _object
    return _inner(origin) if isinstance(origin, type) and issubclass(origin, StripeObject) else _anything


def _anything(_value: Any, _path: str) -> Iterator[str]:
    return iter(())


def _one_of(known: frozenset[Any]) -> Check:
    def run(value: Any, path: str) -> Iterator[str]:
        if value not in known:
            yield f"{path} is {value!r}, which the SDK does not list"

    return run


def _of_type(kinds: tuple[type, ...]) -> Check:
    def run(value: Any, path: str) -> Iterator[str]:
        if type(value) not in kinds:
            yield f"{path} is {_named(value)}"

    return run


def _inner(shape: type) -> Check:
    def run(value: Any, path: str) -> Iterator[str]:
        # Found late, since classes may hold themselves.
        yield from _of_fields(shape)(value, path)

    return run


def _each(one: Check) -> Check:
    def run(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path} is {_named(value)}, not a list"
            return
        for item in value:
            yield from one(item, path)

    return run


def _mapping(one: Check) -> Check:
    def run(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} is {_named(value)}, not a map"
            return
        for item in value.values():
            yield from one(item, path)

    return run


def _named(value: Any) -> str:
    return "null" if value is None else type(value).__name__
