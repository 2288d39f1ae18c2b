"""The sandbox itself: time, faults, deliveries and settings, for the control page and for its JSON alike."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from dateutil.relativedelta import relativedelta
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from membership.sandbox.faults import Script
from membership.sandbox.kinds import KINDS, Obj, public
from membership.sandbox.protocol.errors import ApiError, no_such
from membership.sandbox.resources import test_clocks

if TYPE_CHECKING:
    from membership.sandbox.app import Sandbox

M = TypeVar("M", bound=BaseModel)
_MOST_SECONDS = 50 * 366 * 86400


class Advance(BaseModel):
    """How far to move the clock: by months, days and seconds together, or to a day or a second."""

    model_config = ConfigDict(extra="forbid")
    months: int = Field(0, ge=0, le=600)
    days: int = Field(0, ge=0, le=20000)
    seconds: int = Field(0, ge=0)
    to: int | str | None = None


def advance(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Move the sandbox's clock forward; returns when everything that fell due was done and the listeners know."""
    now = sandbox.clock.now()
    target = _target(checked(Advance, wanted), now)
    if not now <= target <= now + _MOST_SECONDS:
        raise ApiError("The clock only moves forward, by fifty years at most.", param="to")
    sandbox.timekeeper.move_to(target)
    return clock(sandbox)


def _target(asked: Advance, now: int) -> int:
    if asked.to is not None:
        return _moment(asked.to)
    step = relativedelta(months=asked.months, days=asked.days, seconds=asked.seconds)
    return int((datetime.fromtimestamp(now, UTC) + step).timestamp())


class AdvanceClock(Advance):
    """The same for one test clock."""

    clock: str


def advance_clock(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Let a test clock run on; what falls due is done soon after the answer, as at Stripe."""
    asked = checked(AdvanceClock, wanted)
    with sandbox.store.transaction():
        world = sandbox.world()
        found = world.need(test_clocks.KIND, asked.clock, "clock")
        target = _target(asked, found["frozen_time"])
        return public(test_clocks.advance(world, {"frozen_time": target}, found))


def _moment(to: int | str) -> int:
    if isinstance(to, int) or to.isdecimal():
        return int(to)
    try:
        moment = datetime.fromisoformat(to)
    except ValueError:
        raise ApiError(f"Not a day or a moment: {to}", param="to") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def checked(shape: type[M], wanted: Any) -> M:
    """What was sent, in the given shape; ApiError 400 naming the first thing that is wrong."""
    try:
        return shape.model_validate(wanted)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ApiError(f"{where}: {first['msg']}", param=where) from None


def clock(sandbox: "Sandbox") -> Obj:
    """The sandbox's time, in seconds since 1970, and how far it is ahead of the machine's."""
    return {"now": sandbox.clock.now(), "offset_seconds": sandbox.clock.offset}


def order_faults(sandbox: "Sandbox", wanted: Any) -> Obj:
    """Order faults: a list for the next calls, or {"calls": […], "mix": {…}, "deliveries": {…}}."""
    script = {"calls": wanted} if isinstance(wanted, list) else wanted
    if isinstance(script, dict) and "match" in script:
        script = {"calls": [script]}
    sandbox.faults.order(checked(Script, script))
    return faults(sandbox)


def faults(sandbox: "Sandbox") -> Obj:
    """What is ordered at present."""
    ordered = sandbox.faults
    return {
        "calls": [fault.model_dump() for fault in ordered.calls],
        "mix": ordered.mix.model_dump() if ordered.mix else None,
        "deliveries": ordered.deliveries.model_dump() if ordered.deliveries else None,
    }


def replay(sandbox: "Sandbox", event_id: str) -> Obj:
    """Send an event again to every endpoint that wants its type, also to those that have it already."""
    with sandbox.store.transaction():
        event = sandbox.store.get(event_id)
        if event is None or event["object"] != "event":
            raise no_such("event", event_id)
        wanted = [e for e in sandbox.endpoints() if {"*", event["type"]} & set(e["enabled_events"])]
        for endpoint in wanted:
            sandbox.store.db.execute(
                "INSERT INTO delivery (event, endpoint, state, last_error) VALUES (?, ?, 'waiting', 'sent by hand')",
                (event_id, endpoint["id"]),
            )
    sandbox.deliverer.wake()
    return {"event": event_id, "endpoints": len(wanted)}


def deliver(sandbox: "Sandbox") -> Obj:
    """Try everything that was not delivered yet, now; the number of deliveries that wait."""
    n_waiting = waiting(sandbox)
    sandbox.deliverer.hurry()
    return {"waiting": n_waiting}


def waiting(sandbox: "Sandbox") -> int:
    """How many deliveries wait."""
    with sandbox.store.transaction():
        row = sandbox.store.db.execute("SELECT count(*) FROM delivery WHERE state = 'waiting'").fetchone()
    return int(row[0])


def events(sandbox: "Sandbox", limit: int) -> list[Obj]:
    """The newest events with what became of their deliveries."""
    with sandbox.store.transaction():
        found = sandbox.store.find(KINDS["event"], {}, limit=limit)
        urls = {endpoint["id"]: endpoint["url"] for endpoint in sandbox.endpoints()}
        for event in found:
            rows = sandbox.store.db.execute(
                "SELECT endpoint, state, attempts, last_error FROM delivery WHERE event = ? ORDER BY seq",
                (event["id"],),
            )
            # Read-only copies: a field of ours must not become part of the event.
            event["_deliveries"] = [
                {"url": urls.get(row[0], row[0]), "state": row[1], "attempts": row[2], "last_error": row[3]}
                for row in rows
            ]
        return [public(event) | {"deliveries": event.pop("_deliveries")} for event in found]


def change_settings(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Change how failed renewals go on and how long debits take (`settings.Settings`)."""
    shape = TypeAdapter(type(sandbox.settings))
    try:
        shape.validate_python({**shape.dump_python(sandbox.settings), **wanted})
    except ValidationError as error:
        raise ApiError(str(error.errors(include_url=False)[0]["msg"])) from None
    if any(day < 1 for day in wanted.get("retry_days", ())) or wanted.get("debit_days", 1) < 0:
        raise ApiError("Days are whole numbers from 1 on.")
    unknown = set(wanted) - set(shape.dump_python(sandbox.settings))
    if unknown:
        raise ApiError(f"Unknown setting: {', '.join(sorted(unknown))}")
    sandbox.change_settings(**wanted)
    kept: Obj = shape.dump_python(sandbox.settings, mode="json")
    return kept
