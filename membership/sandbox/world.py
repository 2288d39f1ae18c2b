"""What one call, or one due task, may see and touch."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stripe._api_version import _ApiVersion

from membership.sandbox.kinds import KINDS, Kind, Obj, kind_of_id, new_id, public
from membership.sandbox.protocol.errors import no_such
from membership.sandbox.protocol.watch import Watch
from membership.sandbox.store import Store, dumps

if TYPE_CHECKING:
    from membership.sandbox.settings import Settings

API_VERSION = _ApiVersion.CURRENT


@dataclass
class World:
    """The store, the moment and the request.

    `now` is in seconds; it is the moment of the customer's test clock once `follow` met an object that is on
    one, and `clock` is then that clock's id ("" is the global clock). `public_url` begins hosted pages.
    """

    store: Store
    now: int
    public_url: str
    settings: "Settings"
    endpoints: Callable[[], list[Obj]]
    clock: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None
    wake: Callable[[], None] = lambda: None
    forgets: Callable[[], bool] = lambda: False
    watch: Watch = field(default_factory=lambda: Watch(None))

    def follow(self, obj: Obj) -> Obj:
        """Take the time of the test clock that an object or its customer is on, if any; gives the object back."""
        clock_id = obj.get("test_clock")
        if clock_id is None and isinstance(obj.get("customer"), str):
            customer = self.store.get(obj["customer"])
            clock_id = customer.get("test_clock") if customer else None
        if clock_id and (clock := self.store.get(clock_id)):
            self.clock, self.now = clock["id"], clock["frozen_time"]
        return obj

    def need(self, kind: Kind | str, object_id: str, param: str, *, in_path: bool = False) -> Obj:
        """The object that a parameter names, with its clock followed; ApiError resource_missing otherwise."""
        wanted = KINDS[kind] if isinstance(kind, str) else kind
        obj = self.store.get(object_id) if kind_of_id(object_id) is wanted else None
        if obj is None or (obj.get("deleted") and not in_path):
            raise no_such(wanted.label, object_id, param="id" if in_path else param, in_path=in_path)
        return self.follow(obj)

    def add(self, kind: Kind | str, fields: Obj, *, id_length: int = 24) -> Obj:
        """Make and keep an object: id, object, created and livemode are set here, `fields` may override them."""
        wanted = KINDS[kind] if isinstance(kind, str) else kind
        obj = {"id": new_id(wanted.prefix, id_length), "object": wanted.name, "created": self.now, "livemode": False}
        return self.store.add(obj | fields)

    def schedule(self, obj: Obj, task: str, at: int | None) -> None:
        """Run a task for the object at that second of the present clock; None calls it off."""
        self.store.set_timer(obj["id"], task, at, self.clock)

    def emit(self, event_type: str, obj: Obj, before: Obj | None = None) -> None:
        """Record that something happened to `obj`, as it is now; `before` is a `snapshot` for *.updated.

        An update that changed nothing is not an event, and some are forgotten on purpose.
        """
        data: Obj = {"object": public(obj)}
        if before is not None:
            data["previous_attributes"] = previous(before, data["object"])
            if not data["previous_attributes"]:
                return
        if self.forgets():
            return
        event: Obj = {
            "id": new_id("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": event_type,
        }
        wanted = [e["id"] for e in self.endpoints() if event_type in e["enabled_events"] or "*" in e["enabled_events"]]
        event["pending_webhooks"] = len(wanted)
        self.watch.look(event, event_type)
        self.store.insert_text(KINDS["event"], event["id"], self.now, dumps(event))
        for endpoint in wanted:
            self.store.db.execute(
                "INSERT INTO delivery (event, endpoint, state) VALUES (?, ?, 'waiting')", (event["id"], endpoint)
            )
        if self.wake not in self.store.after_commit:
            self.store.after_commit.append(self.wake)


def snapshot(obj: Obj) -> Obj:
    """The object as it is now, to be given to `World.emit` after a change."""
    return copy.deepcopy(public(obj))


def previous(before: Any, after: Any) -> Obj:
    """What `before` had where `after` differs; maps are compared inside, lists as a whole (Stripe's way)."""
    changed: Obj = {}
    for name, old in before.items():
        new = after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old:
            changed[name] = previous(old, new) or old
        else:
            changed[name] = old
    changed.update({name: None for name in after if name not in before})
    return changed


def merge_metadata(current: dict[str, str], change: Any) -> dict[str, str]:
    """Metadata after an update: an empty value removes its key, an empty string instead of a map removes all."""
    if change == "":
        return {}
    merged = {**current, **(change or {})}
    return {key: value for key, value in merged.items() if value != ""}
