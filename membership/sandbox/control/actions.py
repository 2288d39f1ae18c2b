"""The things that can be done from outside the API, for the control page and for its JSON alike."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from dateutil.relativedelta import relativedelta
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from membership.sandbox import chargebacks
from membership.sandbox.faults import Script
from membership.sandbox.kinds import KINDS, Obj, public
from membership.sandbox.protocol.errors import ApiError, missing, no_such
from membership.sandbox.resources import refunds, subscriptions

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
    asked = _checked(Advance, wanted)
    now = sandbox.clock.now()
    if asked.to is not None:
        target = _moment(asked.to)
    else:
        step = relativedelta(months=asked.months, days=asked.days, seconds=asked.seconds)
        target = int((datetime.fromtimestamp(now, UTC) + step).timestamp())
    if not now <= target <= now + _MOST_SECONDS:
        raise ApiError("The clock only moves forward, by fifty years at most.", param="to")
    sandbox.timekeeper.move_to(target)
    return clock(sandbox)


def _moment(to: int | str) -> int:
    if isinstance(to, int) or to.isdecimal():
        return int(to)
    try:
        moment = datetime.fromisoformat(to)
    except ValueError:
        raise ApiError(f"Not a day or a moment: {to}", param="to") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _checked(shape: type[M], wanted: Any) -> M:
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
    sandbox.faults.order(_checked(Script, script))
    return faults(sandbox)


def faults(sandbox: "Sandbox") -> Obj:
    """What is ordered at present."""
    ordered = sandbox.faults
    return {
        "calls": [fault.model_dump() for fault in ordered.calls],
        "mix": ordered.mix.model_dump() if ordered.mix else None,
        "deliveries": ordered.deliveries.model_dump() if ordered.deliveries else None,
    }


def fail_next(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Have the next payment of a customer refused, whatever the card."""
    with sandbox.store.transaction():
        customer = sandbox.world().need("customer", _named(wanted, "customer"), "customer")
        customer["_fail_next"] = True
        return {"customer": customer["id"], "fails_next": True}


def refund(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Refund a charge from the dashboard: the rest of it, or `amount`."""
    with sandbox.store.transaction():
        world = sandbox.world()
        world.need("charge", _named(wanted, "charge"), "charge")
        asked = {"charge": wanted["charge"]} | ({"amount": int(wanted["amount"])} if wanted.get("amount") else {})
        return public(refunds.create(world, asked))


def cancel_subscription(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """End a subscription from the dashboard: now, or with `at_period_end` at the end of its period."""
    with sandbox.store.transaction():
        world = sandbox.world()
        sub = world.need("subscription", _named(wanted, "subscription"), "subscription")
        if wanted.get("at_period_end"):
            return public(subscriptions.update(world, {"cancel_at_period_end": True}, sub))
        return public(subscriptions.cancel(world, {}, sub))


def dispute(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Have the payer of a charge dispute it: `kind` is chargeback, inquiry or prevented; `reason` is Stripe's."""
    kind = wanted.get("kind") or "chargeback"
    if kind not in {"chargeback", "inquiry", "prevented"}:
        raise ApiError("kind is chargeback, inquiry or prevented.", param="kind")
    with sandbox.store.transaction():
        world = sandbox.world()
        charge = world.need("charge", _named(wanted, "charge"), "charge")
        return public(chargebacks.make(world, charge, wanted.get("reason") or "fraudulent", kind))


def decide(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Decide a dispute: `outcome` is won or lost."""
    steps = {"won": "win", "lost": "lose"}
    if wanted.get("outcome") not in steps:
        raise ApiError("outcome is won or lost.", param="outcome")
    return dispute_step(sandbox, wanted | {"step": steps[wanted["outcome"]]})


def dispute_step(sandbox: "Sandbox", wanted: Obj) -> Obj:
    """Take a dispute on: `step` is review, win, lose, escalate, withdraw or appeal (see `chargebacks.step`)."""
    with sandbox.store.transaction():
        world = sandbox.world()
        found = world.need("dispute", _named(wanted, "dispute"), "dispute")
        chargebacks.step(world, found, _named(wanted, "step"))
        return public(found)


def _named(wanted: Obj, name: str) -> str:
    if not wanted.get(name):
        raise missing(name)
    return str(wanted[name])


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
    unknown = set(wanted) - set(shape.dump_python(sandbox.settings))
    if unknown:
        raise ApiError(f"Unknown setting: {', '.join(sorted(unknown))}")
    sandbox.change_settings(**wanted)
    kept: Obj = shape.dump_python(sandbox.settings, mode="json")
    return kept
