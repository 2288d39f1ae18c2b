"""The two calls that nearly every kind has: read one, and list many."""

from typing import Any

from membership.sandbox.kinds import Kind, Obj
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.routes import operation
from membership.sandbox.world import World


def retrieval(kind: Kind, shape: Any, accepts: str = "") -> None:
    """Serve `GET <path of the kind>/{id}`: the object as it is, or 404."""

    @operation(f"GET {kind.path}/{{id}}", shape, accepts, subject=kind)
    def retrieve(_world: World, _params: Obj, found: Obj) -> Obj:
        return found


def listing(kind: Kind, shape: Any, filters: str = "") -> None:
    """Serve `GET <path of the kind>`: newest first, narrowed by `filters` of the kind."""

    @operation(f"GET {kind.path}", shape, f"{PAGING} {filters}")
    def list_all(world: World, params: Obj) -> Obj:
        return page(world, kind, params)
