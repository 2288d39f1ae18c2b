"""The kinds of objects that the sandbox keeps. Each file in `resources/` declares its own."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from membership.sandbox.world import World

Obj = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    `name` is the value of its `object` field, `prefix` begins its ids, `path` lists it, `label` is what an
    error calls it. `filters` maps parameters of its list to JSON paths in the object; those in `indexed` have
    an index. `lazy` holds fields that appear only when expanded.
    """

    name: str
    prefix: str
    path: str
    label: str
    filters: Mapping[str, str] = field(default_factory=dict)
    indexed: tuple[str, ...] = ()
    lazy: Mapping[str, Callable[["World", Obj], Any]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The name of its table."""
        return "o_" + self.name.replace(".", "_")


KINDS: dict[str, Kind] = {}
_BY_PREFIX: dict[str, Kind] = {}


def declare(kind: Kind) -> Kind:
    """Make a kind known; at import of its file."""
    KINDS[kind.name] = kind
    _BY_PREFIX[kind.prefix.split("_")[0]] = kind
    return kind


def kind_of_id(object_id: str) -> Kind | None:
    """The kind that an id belongs to by its prefix; None for foreign text."""
    return _BY_PREFIX.get(object_id.split("_", 1)[0])


def new_id(prefix: str, length: int = 24) -> str:
    """An id such as `cus_…`: `prefix` and `length` random letters and digits."""
    text = ""
    while len(text) < length:
        text += secrets.token_urlsafe(length + 8).replace("-", "").replace("_", "")
    return prefix + text[:length]


def public(obj: Obj) -> Obj:
    """The object as the API shows it: without the fields that are ours alone (leading underscore)."""
    return {name: value for name, value in obj.items() if name[0] != "_"}
