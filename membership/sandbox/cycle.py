"""The life of a subscription after it began: renewals, failed payments, pauses and the end.

Billing periods are counted from the anchor (`calendar.boundary`). Each task runs at its own second, so events and
objects carry the time at which they would have happened.
"""

from membership.sandbox import calendar, drafts, invoicing, lines
from membership.sandbox.kinds import KINDS, Obj
from membership.sandbox.payments import DAY
from membership.sandbox.tasks import task
from membership.sandbox.world import World, snapshot

ENDED = frozenset({"canceled", "incomplete_expired"})
INCOMPLETE_SECONDS = 23 * 3600


def period(sub: Obj) -> tuple[int, int]:
    """The present period [start, end) of a subscription, which all its items share."""
    item = sub["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def set_period(world: World, sub: Obj, n: int) -> None:
    """Put all items into the `n`-th period after the anchor (0 is the first), and set the renewal."""
    recurring = sub["items"]["data"][0]["price"]["recurring"]
    unit, count = recurring["interval"], recurring["interval_count"]
    start = calendar.boundary(sub["billing_cycle_anchor"], unit, count, n)
    end = calendar.boundary(sub["billing_cycle_anchor"], unit, count, n + 1)
    sub["_n"] = n
    for item in sub["items"]["data"]:
        item |= {"current_period_start": start, "current_period_end": end}
    if sub["cancel_at_period_end"]:
        sub["cancel_at"] = end
        world.schedule(sub, "cancel", end)
    world.schedule(sub, "renew", end)


def period_lines(world: World, invoice_id: str, sub: Obj) -> list[Obj]:
    """One line an item for the present period."""
    found = []
    for item in sub["items"]["data"]:
        product = world.store.get(item["price"]["product"])
        found.append(lines.for_item(invoice_id, sub, item, period(sub), product["name"] if product else "Subscription"))
    return found


@task("renew")
def renew(world: World, sub: Obj) -> None:
    """A period ended: end the subscription if that was wished, else begin the next period and collect it."""
    world.follow(sub)
    if sub["status"] in ENDED | {"incomplete", "paused"}:
        return
    if sub["cancel_at"] is not None and sub["cancel_at"] <= world.now:
        end(world, sub, "canceled", reason="cancellation_requested")
        return
    before, ended_period = snapshot(sub), period(sub)
    if sub["status"] == "trialing" and not _end_trial(world, sub, before):
        return
    paused = _paused(world, sub)
    set_period(world, sub, sub["_n"] + 1)
    customer = world.need("customer", sub["customer"], "customer")
    invoice = drafts.draft(world, customer, sub["currency"], "subscription_cycle", sub=sub, period=ended_period)
    drafts.put_lines(invoice, period_lines(world, invoice["id"], sub))
    drafts.take_pending(world, invoice, sub["id"])
    sub["latest_invoice"] = invoice["id"]
    if paused == "keep_as_draft" or sub["status"] == "unpaid":
        invoice["auto_advance"] = False
    world.emit("invoice.created", invoice)
    if paused in {"void", "mark_uncollectible"}:
        invoicing.finalize(world, invoice)
        if invoice["status"] == "open":
            invoicing.close(world, invoice, "void" if paused == "void" else "uncollectible")
    elif invoice["auto_advance"]:
        _collect(world, sub, customer, invoice)
    if sub["status"] not in ENDED:
        _announce(world, sub, before)


def _collect(world: World, sub: Obj, customer: Obj, invoice: Obj) -> None:
    from membership.sandbox.resources import payment_methods

    sub["_quiet"] = True
    invoicing.finalize(world, invoice)
    if invoice["status"] == "open":
        method = payment_methods.of_customer(world, customer, sub["default_payment_method"])
        invoicing.attempt(world, invoice, method, on_session=False)
    sub.pop("_quiet", None)


def _announce(world: World, sub: Obj, before: Obj) -> None:
    world.emit("customer.subscription.updated", sub, before)


def _end_trial(world: World, sub: Obj, before: Obj) -> bool:
    """Whether the subscription goes on; without a card it may be set to end or to pause instead."""
    customer = world.need("customer", sub["customer"], "customer")
    has_method = sub["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    behavior = sub["trial_settings"]["end_behavior"]["missing_payment_method"]
    if not has_method and behavior == "cancel":
        end(world, sub, "canceled", reason="payment_failed")
        return False
    if not has_method and behavior == "pause":
        sub["status"] = "paused"
        sub["status_details"] = paused_details("trial_end_without_payment_method", world.now)
        world.emit("customer.subscription.updated", sub, before)
        world.emit("customer.subscription.paused", sub)
        return False
    sub["status"] = "active"
    return True


def paused_details(reason: str, at: int) -> Obj:
    """Why and since when a subscription is paused, as `status_details`."""
    return {"paused": {"subscription": {"type": reason}, "transitioned_at": at, "type": "subscription"}}


def _paused(world: World, sub: Obj) -> str | None:
    """How collection is paused at this moment, if it is; a pause that is over is taken away."""
    pause = sub["pause_collection"]
    if pause and pause["resumes_at"] is not None and pause["resumes_at"] <= world.now:
        sub["pause_collection"] = None
        world.schedule(sub, "resume_collection", None)
        return None
    return pause["behavior"] if pause else None


@task("resume_collection")
def resume_collection(world: World, sub: Obj) -> None:
    """The day has come on which collection goes on by itself."""
    before = snapshot(sub)
    if sub["status"] not in ENDED:
        sub["pause_collection"] = None
        _announce(world, sub, before)


@task("trial_will_end")
def trial_will_end(world: World, sub: Obj) -> None:
    """Three days before the end of a trial."""
    if sub["status"] == "trialing":
        world.emit("customer.subscription.trial_will_end", sub)


@task("cancel")
def cancel_due(world: World, sub: Obj) -> None:
    """The day of `cancel_at` has come."""
    if sub["status"] not in ENDED and sub["cancel_at"] is not None and sub["cancel_at"] <= world.now:
        end(world, sub, "canceled", reason="cancellation_requested")


@task("expire_incomplete")
def expire_incomplete(world: World, sub: Obj) -> None:
    """The first payment did not come within 23 hours."""
    if sub["status"] != "incomplete":
        return
    before = snapshot(sub)
    invoice = world.store.get(sub["latest_invoice"])
    if invoice and invoice["status"] == "open":
        invoicing.close(world, invoice, "void")
    sub |= {"status": "incomplete_expired", "ended_at": world.now}
    forget_timers(world, sub)
    _announce(world, sub, before)


def on_paid(world: World, sub: Obj, invoice: Obj, intent: Obj | None) -> None:
    """An invoice was paid (or a slow payment of it has begun): a subscription that waited for it is active."""
    before = snapshot(sub)
    saves = sub["payment_settings"]["save_default_payment_method"] == "on_subscription"
    if saves and intent and intent["payment_method"]:
        sub["default_payment_method"] = intent["payment_method"]
    if sub["status"] in {"incomplete", "past_due", "unpaid"} and sub["latest_invoice"] == invoice["id"]:
        world.schedule(sub, "expire_incomplete", None)
        sub["status"] = "active"
    if not sub.get("_quiet"):
        _announce(world, sub, before)


def plan_retry(world: World, invoice: Obj, sub: Obj | None) -> bool:
    """Set when a failed renewal is tried again; False where that is the caller's or over (Settings.retry_days)."""
    days, done = world.settings.retry_days, invoice["_retries"]
    renewing = sub is not None and sub["status"] != "incomplete" and invoice["auto_advance"]
    if not renewing or done >= len(days):
        invoice["next_payment_attempt"] = None
        return not renewing
    invoice["_retries"] = done + 1
    invoice["next_payment_attempt"] = world.now + days[done] * DAY
    world.schedule(invoice, "retry", invoice["next_payment_attempt"])
    return True


def on_failed(world: World, sub: Obj, invoice: Obj, *, retries_left: bool) -> None:
    """An invoice was not paid: active becomes past_due, and after the last retry what the settings say."""
    before = snapshot(sub)
    if sub["status"] in ENDED | {"incomplete"} or sub["latest_invoice"] != invoice["id"]:
        return
    if sub["status"] in {"active", "trialing"}:
        sub["status"] = "past_due"
    if retries_left:
        if not sub.get("_quiet"):
            _announce(world, sub, before)
        return
    outcome = world.settings.after_retries
    invoice["auto_advance"] = False
    if outcome == "canceled":
        end(world, sub, "canceled", reason="payment_failed")
    elif outcome == "unpaid":
        sub["status"] = "unpaid"
        _announce(world, sub, before)
    elif outcome == "paused":
        sub |= {"status": "paused", "status_details": paused_details("final_payment_failure", world.now)}
        world.schedule(sub, "renew", None)
        _announce(world, sub, before)
        world.emit("customer.subscription.paused", sub)


@task("retry")
def retry(world: World, invoice: Obj) -> None:
    """Try an open invoice again with whatever method is the default by now."""
    from membership.sandbox.resources import payment_methods

    sub = invoicing.subscription_of(world, invoice)
    if invoice["status"] != "open" or sub is None or sub["status"] in ENDED:
        return
    customer = world.need("customer", invoice["customer"], "customer")
    method = payment_methods.of_customer(world, customer, sub["default_payment_method"])
    invoicing.attempt(world, invoice, method, on_session=False)


def end(world: World, sub: Obj, status: str, *, reason: str) -> None:
    """End a subscription now, for good, with its event; open invoices are no longer tried."""
    sub |= {"status": status, "ended_at": world.now, "canceled_at": sub["canceled_at"] or world.now}
    sub["cancellation_details"] = {**sub["cancellation_details"], "reason": reason}
    sub["cancel_at_period_end"] = False
    if sub["cancel_at"] is not None and sub["cancel_at"] > world.now:
        sub["cancel_at"] = None
    forget_timers(world, sub)
    for invoice in world.store.find(KINDS["invoice"], {"subscription": sub["id"], "status": ["open", "draft"]}):
        invoice |= {"auto_advance": False, "next_payment_attempt": None}
        world.schedule(invoice, "retry", None)
    world.emit("customer.subscription.deleted", sub)


def forget_timers(world: World, sub: Obj) -> None:
    """Nothing happens to a subscription by itself any more."""
    for name in ("renew", "cancel", "resume_collection", "trial_will_end", "expire_incomplete"):
        world.schedule(sub, name, None)
