"""The table of API calls. Each file in `resources/` adds its own with `@operation`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from membership.sandbox.kinds import Kind, Obj
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.world import World

Handler = Callable[..., Obj]


@dataclass(frozen=True)
class Operation:
    """One call: method, pattern, the SDK's type of its parameters, and the parameters it acts upon.

    `subject` is the kind of object that the id in the path names; the handler is given that object.
    """

    method: str
    template: str
    pattern: re.Pattern[str]
    shape: Any
    accepts: frozenset[str]
    subject: Kind | None
    handler: Handler


_OPERATIONS: dict[str, list[Operation]] = {}


def operation(
    route: str, shape: Any, accepts: str = "", *, subject: Kind | None = None
) -> Callable[[Handler], Handler]:
    """Register a handler for `METHOD /v1/path/{id}`.

    `accepts` are dotted parameter names separated by blanks; everything else is refused by name. The handler
    is called with the world and the checked parameters, and with the object named by `{id}` where there is one.
    """
    method, template = route.split(" ")
    pattern = re.compile(re.sub(r"\{\w+\}", r"([^/]+)", template))

    def register(handler: Handler) -> Handler:
        entry = Operation(method, template, pattern, shape, frozenset(accepts.split()), subject, handler)
        _OPERATIONS.setdefault(method, []).append(entry)
        # A fixed path such as /v1/invoices/create_preview goes before one with an id in the same place.
        _OPERATIONS[method].sort(key=lambda op: op.template.count("{"))
        return handler

    return register


def resolve(method: str, path: str) -> tuple[Operation, list[str]]:
    """The operation for a request and the ids in its path; ApiError 404 for an address that is not served."""
    for entry in _OPERATIONS.get(method, ()):
        match = entry.pattern.fullmatch(path)
        if match:
            return entry, list(match.groups())
    raise ApiError(f"Unrecognized request URL ({method}: {path}). The sandbox does not serve it.", status=404)


def operations() -> list[Operation]:
    """All calls that are served, by path and method."""
    return sorted((op for ops in _OPERATIONS.values() for op in ops), key=lambda op: (op.template, op.method))


def perform(world: World, entry: Operation, ids: list[str], params: Obj) -> Obj:
    """Call the handler, with the object that the path names resolved first (404 resource_missing)."""
    if entry.subject is None:
        return entry.handler(world, params, *ids)
    subject = world.need(entry.subject, ids[0], "id", in_path=True)
    return entry.handler(world, params, subject, *ids[1:])
