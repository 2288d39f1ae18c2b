"""What the control page shows of the objects that are kept, and how it writes moments, spans and amounts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from membership.sandbox import chargebacks
from membership.sandbox.cycle import ENDED, period
from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.money import written

if TYPE_CHECKING:
    from membership.sandbox.world import World

_GOOD = frozenset({"active", "trialing", "succeeded", "delivered", "won", "ready", "prevented"})
_BAD = frozenset({"past_due", "unpaid", "failed", "lost", "needs_response", "incomplete", "dropped"})


def moment(seconds: int) -> str:
    """A moment, such as "22 Jan 2027, 19:40" (UTC)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %b %Y, %H:%M")


def span(seconds: int) -> str:
    """A span in its two largest units."""
    days, rest = divmod(seconds, 86400)
    return f"{days} days and {rest // 3600} hours" if days else f"{rest // 60} minutes"


def tone(status: str) -> str:
    """The colour of a status: good, bad or soft."""
    return "good" if status in _GOOD else "bad" if status in _BAD else "soft"


def subscription(world: "World", sub: Obj) -> Obj:
    """A subscription with its payer."""
    customer = world.store.get(sub["customer"]) or {}
    item = sub["items"]["data"][0]
    recurring = item["price"]["recurring"]
    count = recurring["interval_count"]
    return {
        "id": sub["id"],
        "customer": sub["customer"],
        "email": customer.get("email") or sub["customer"],
        "amount": sum(i["price"]["unit_amount"] * i["quantity"] for i in sub["items"]["data"]),
        "each": item["price"]["unit_amount"],
        "rhythm": f"every {count} {recurring['interval']}s" if count > 1 else f"a {recurring['interval']}",
        "currency": sub["currency"],
        "status": sub["status"],
        "until": period(sub)[1],
        "ends": sub["cancel_at"] if sub["status"] not in ENDED else None,
        "ended": sub["status"] in ENDED,
        "holds": (sub["pause_collection"] or {}).get("behavior"),
        "fails_next": customer.get("_fail_next", False),
        "test_clock": sub["test_clock"],
    }


def charge(world: "World", found: Obj) -> Obj:
    """A charge with its disputes and with what may happen to them next."""
    disputes = world.store.find(KINDS["dispute"], {"charge": found["id"]}) if found["disputed"] else []
    customer = world.store.get(found["customer"]) or {}
    return {
        "id": found["id"],
        "email": customer.get("email") or found["billing_details"]["email"] or "somebody",
        "amount": found["amount"],
        "amount_refunded": found["amount_refunded"],
        "left": found["amount"] - found["amount_refunded"],
        "currency": found["currency"],
        "created": found["created"],
        "status": found["status"],
        "disputed": found["disputed"],
        "held": chargebacks.holds(world, found),
        "disputes": [
            {"id": d["id"], "status": d["status"], "steps": chargebacks.STEPS.get(d["status"], ())} for d in disputes
        ],
    }


FILTERS: dict[str, Callable[..., str]] = {"moment": moment, "span": span, "tone": tone, "money": written}
