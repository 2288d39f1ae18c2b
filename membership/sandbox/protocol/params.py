"""Checks of parameters against the types of the pinned SDK (`stripe.params`).

The SDK's TypedDicts are rebuilt for pydantic: unknown keys are forbidden, the request options that the SDK
mixes in are left out, numbers and truth values are read from their one spelling in a form, and its open enums
(`Literal[…] | str`) are closed again, since Stripe refuses values that it does not know.
"""

import sys
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from stripe import _request_options
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import TypedDict, is_typeddict

from membership.sandbox.protocol.errors import ApiError, missing, unsupported

_OPTIONS = frozenset(_request_options.RequestOptions.__annotations__)


def check(shape: Any, raw: Mapping[str, Any], accepts: frozenset[str]) -> dict[str, Any]:
    """`raw` as the typed parameters of `shape`, or ApiError 400 naming the parameter.

    `accepts` are dotted names that the call acts upon, such as "items.price"; a name stands for everything
    below it. A parameter that the SDK knows but the call does not is refused as well.
    """
    try:
        checked: dict[str, Any] = _adapter(shape).validate_python(raw)
    except ValidationError as error:
        raise _translate(error, raw) from None
    for path, bracketed in _paths(checked, "", ""):
        if not _accepted(path, accepts):
            raise unsupported(bracketed)
    return checked


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(_rebuild(shape))


@cache
def _rebuild_dict(shape: Any) -> Any:
    fields: dict[str, Any] = {}
    names = {**vars(_request_options), "StripeContext": str, **vars(sys.modules[shape.__module__])}
    for name, hint in get_type_hints(shape, globalns=names, include_extras=True).items():
        if name in _OPTIONS:
            continue
        wrapper = Required if get_origin(hint) is not NotRequired else NotRequired
        inner = get_args(hint)[0] if get_origin(hint) in {NotRequired, Required} else hint
        fields[name] = wrapper[_rebuild(inner)]
    make: Any = TypedDict
    rebuilt = make(shape.__name__, fields)
    rebuilt.__pydantic_config__ = ConfigDict(extra="forbid")
    return rebuilt


def _rebuild(hint: Any) -> Any:  # noqa: PLR0911 - one answer for each kind of hint
    if is_typeddict(hint):
        return _rebuild_dict(hint)
    if hint is int:
        return Annotated[int, BeforeValidator(_whole)]
    if hint is bool:
        return Annotated[bool, BeforeValidator(_truth)]
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return _rebuild_union(args)
    if origin is list:
        return list[_rebuild(args[0])]  # type: ignore[misc]  # built from data, on purpose
    if origin is dict:
        return dict[str, _rebuild(args[1])]  # type: ignore[misc]  # the same
    return hint


def _rebuild_union(args: tuple[Any, ...]) -> Any:
    known = [value for arg in args if get_origin(arg) is Literal for value in get_args(arg)]
    closed = any(value != "" for value in known)
    kept = [
        _rebuild(arg)
        for arg in args
        if get_origin(arg) is not UntypedStripeObject and not (closed and arg is str) and arg is not Any
    ]
    return Union[tuple(kept)]  # noqa: UP007 - built from data


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):  # noqa: PLR2004 - digits, months or places
            raise ValueError("integer")
        return int(value)
    return value


def _truth(value: Any) -> Any:
    if value not in {"true", "false", True, False}:
        raise ValueError("boolean")
    return value in {"true", True}


def _paths(value: Any, path: str, bracketed: str) -> list[tuple[str, str]]:
    """Every leaf of the tree, as its dotted name without list indexes and as Stripe writes it."""
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in _paths(v, path, f"{bracketed}[{i}]")]
    if isinstance(value, dict) and value:
        dot = f"{path}." if path else ""
        return [
            leaf
            for key, item in value.items()
            for leaf in _paths(item, dot + key, f"{bracketed}[{key}]" if bracketed else key)
        ]
    return [(path, bracketed)] if path else []


def _accepted(path: str, accepts: frozenset[str]) -> bool:
    if path == "expand" or path.startswith("expand."):
        return True
    parts = path.split(".")
    return any(".".join(parts[:n]) in accepts for n in range(1, len(parts) + 1))


def _translate(error: ValidationError, raw: Mapping[str, Any]) -> ApiError:
    """The most telling of pydantic's findings: the deepest one, unknown and missing keys first."""
    rank = {"extra_forbidden": 0, "missing": 1}
    findings = [(_locate(item["loc"], raw, item["type"]), item) for item in error.errors(include_url=False)]
    findings.sort(key=lambda found: (-len(found[0]), rank.get(found[1]["type"], 2)))
    path, item = findings[0]
    param = path[0] + "".join(f"[{part}]" for part in path[1:]) if path else ""
    value, kind = item["input"], item["type"]
    if kind == "extra_forbidden":
        return ApiError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
    if kind == "missing":
        return missing(param)
    if value == "":
        return ApiError(f"You passed an empty string for '{param}'.", code="parameter_invalid_empty", param=param)
    if kind == "literal_error" and isinstance(value, str):
        expected = item.get("ctx", {}).get("expected", "a known value")
        return ApiError(f"Invalid {param}: must be one of {expected}", param=param)
    wanted = str(item.get("ctx", {}).get("error", ""))
    if wanted in {"integer", "boolean"}:
        code = "parameter_invalid_integer" if wanted == "integer" else None
        return ApiError(f"Invalid {wanted}: {value}", code=code, param=param)
    return ApiError(f"Invalid {'array' if kind == 'list_type' else 'object'}: {param}", param=param)


def _locate(loc: tuple[int | str, ...], raw: Any, kind: str) -> list[str]:
    """The part of pydantic's location that the caller sent; the names of union members are dropped."""
    path: list[str] = []
    for position, part in enumerate(loc):
        absent = kind == "missing" and position == len(loc) - 1
        if isinstance(raw, dict) and (part in raw or absent):
            path.append(str(part))
            raw = raw.get(part)
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            path.append(str(part))
            raw = raw[part]
    return path
