"""Changing what a subscription is made of, and beginning its period anew."""

import copy

from membership.sandbox import calendar, cycle, drafts, founding, invoicing, payments, proration
from membership.sandbox.kinds import Obj
from membership.sandbox.protocol.errors import ApiError, no_such, unsupported
from membership.sandbox.world import World, merge_metadata


def revise(world: World, sub: Obj, params: Obj) -> None:
    """Apply `items`, `billing_cycle_anchor=now` and `trial_end` of an update.

    A new anchor begins a new period now and charges it at once. With another interval the anchor stays, as flexible
    billing has it: the period that is running in the new rhythm takes the place of the old one, and the difference
    is invoiced at once; with `none` it begins anew instead. Any other difference waits as pending items
    (create_prorations), is invoiced at once (always_invoice) or is not settled (none).
    """
    at = params.get("proration_date") or world.now
    behavior = params.get("proration_behavior", "create_prorations")
    old = copy.deepcopy(sub["items"]["data"])
    old_rhythm = old[0]["price"]["recurring"]
    for i, change in enumerate(params.get("items") or []):
        _change_item(world, sub, change, f"items[{i}]")
    if not sub["items"]["data"]:
        raise ApiError("A subscription needs at least one item.", param="items")
    if params.get("trial_end") not in {None, "now"}:
        _prolong_trial(world, sub, old, int(params["trial_end"]), credited=behavior != "none")
        return
    ends_trial = _ends_trial(world, sub, params)
    anew, turned = ends_trial or _asks_anew(params), sub["items"]["data"][0]["price"]["recurring"] != old_rhythm
    settled = sub["status"] in {"active", "past_due"} and behavior != "none"
    if turned and settled and not anew:
        cycle.set_period(world, sub, _running(world, sub))
        proration.book(world, sub, old, sub["items"]["data"], at, debit=True)
        _invoice_now(world, sub, params, period=False)
        return
    anew = anew or turned
    if settled:
        proration.book(world, sub, old, sub["items"]["data"], at, debit=not anew)
        if anew and old == sub["items"]["data"]:
            proration.book(world, sub, old, [], at, debit=False)
    if anew and sub["status"] != "trialing":
        restart(world, sub, from_now=True)
    elif behavior == "always_invoice":
        _invoice_now(world, sub, params, period=False)


def settle_end(world: World, sub: Obj, params: Obj) -> None:
    """What a subscription that ends now gives back (`prorate`), and the invoice of what is pending (`invoice_now`)."""
    if params.get("prorate") and sub["status"] in {"active", "past_due"}:
        proration.book(world, sub, sub["items"]["data"], [], world.now, debit=False)
    if params.get("invoice_now"):
        _invoice_now(world, sub, params, period=False)


def _prolong_trial(world: World, sub: Obj, old: list[Obj], until: int, *, credited: bool) -> None:
    """Nothing is charged until that second, at which a new period begins; time that was paid for may be credited."""
    if until <= world.now:
        raise ApiError("trial_end must lie in the future.", param="trial_end")
    if credited and sub["status"] in {"active", "past_due"}:
        proration.book(world, sub, old, [], world.now, debit=False)
    begins = sub["status"] != "trialing"
    sub |= {"status": "trialing", "trial_start": sub["trial_start"] or world.now, "trial_end": until, "_n": -1}
    sub["billing_cycle_anchor"] = until
    for item in sub["items"]["data"]:
        item |= {"current_period_start": world.now, "current_period_end": until}
    if sub["cancel_at_period_end"]:
        sub["cancel_at"] = until
        world.schedule(sub, "cancel", until)
    world.schedule(sub, "renew", until)
    world.schedule(sub, "trial_will_end", max(until - 3 * payments.DAY, world.now))
    if begins:
        _invoice_trial(world, sub)


def _invoice_trial(world: World, sub: Obj) -> None:
    """A trial that starts is invoiced at once, over nothing; what is pending waits for the first paid period."""
    customer = world.need("customer", sub["customer"], "customer")
    invoice = drafts.draft(world, customer, sub["currency"], "subscription_update", sub=sub)
    drafts.put_lines(invoice, founding.free_lines(world, invoice["id"], sub))
    sub["latest_invoice"] = invoice["id"]
    world.emit("invoice.created", invoice)
    sub["_quiet"] = True
    invoicing.finalize(world, invoice)
    sub.pop("_quiet", None)


def _running(world: World, sub: Obj) -> int:
    """Which period after the anchor is running, in the rhythm that the items have now."""
    recurring, n = sub["items"]["data"][0]["price"]["recurring"], 0
    unit, count = recurring["interval"], recurring["interval_count"]
    while calendar.boundary(sub["billing_cycle_anchor"], unit, count, n + 1) <= world.now:
        n += 1
    return n


def _asks_anew(params: Obj) -> bool:
    anchor = params.get("billing_cycle_anchor")
    if anchor not in {None, "now", "unchanged"}:
        raise unsupported("billing_cycle_anchor")
    return anchor == "now"


def _ends_trial(world: World, sub: Obj, params: Obj) -> bool:
    wanted = params.get("trial_end")
    if wanted == "now" and sub["status"] == "trialing":
        sub |= {"status": "active", "trial_end": world.now}
        return True
    return False


def _change_item(world: World, sub: Obj, change: Obj, at: str) -> None:
    from membership.sandbox.resources import prices

    data = sub["items"]["data"]
    if not change.get("id"):
        price = _fitting(sub, prices.resolve(world, change, at), at)
        item = founding.make_item(world, sub["id"], price, change.get("quantity", 1))
        item |= {name: data[0][name] for name in ("current_period_start", "current_period_end")}
        data.append(item)
    else:
        found = [known for known in data if known["id"] == change["id"]]
        if not found:
            raise no_such("subscription_item", change["id"], param=f"{at}[id]", in_path=False)
        item = found[0]
        if change.get("deleted"):
            data.remove(item)
            return
        if change.get("price") or change.get("plan") or change.get("price_data"):
            price = _fitting(sub, prices.resolve(world, change, at), at)
            item |= {"price": founding.price_now(price), "plan": founding.plan(price)}
        item["quantity"] = change.get("quantity", item["quantity"])
    item["metadata"] = merge_metadata(item["metadata"], change.get("metadata"))


def _fitting(sub: Obj, price: Obj, at: str) -> Obj:
    if price["type"] != "recurring" or price["currency"] != sub["currency"]:
        raise ApiError(
            f"The price specified must be recurring and in {sub['currency']}, the currency of the subscription.",
            param=f"{at}[price]",
        )
    return price


def restart(world: World, sub: Obj, *, from_now: bool) -> None:
    """Begin a period: with the anchor at this moment, or in the old rhythm at the period that is now running.

    A period that was not charged yet is charged at once.
    """
    if from_now:
        sub["billing_cycle_anchor"] = world.now
        cycle.set_period(world, sub, 0)
    else:
        n = sub["_n"]
        while cycle.period(sub)[1] <= world.now:
            cycle.set_period(world, sub, sub["_n"] + 1)
        if sub["_n"] == n:
            cycle.set_period(world, sub, n)
            return
    _invoice_now(world, sub, {}, period=True)


def _invoice_now(world: World, sub: Obj, params: Obj, *, period: bool) -> None:
    from membership.sandbox.resources import payment_methods

    customer = world.need("customer", sub["customer"], "customer")
    invoice = drafts.draft(world, customer, sub["currency"], "subscription_update", sub=sub)
    if period:
        drafts.put_lines(invoice, cycle.period_lines(world, invoice["id"], sub))
    drafts.take_pending(world, invoice, sub["id"])
    if not invoice["lines"]["data"]:
        world.store.remove(invoice)
        return
    sub["latest_invoice"] = invoice["id"]
    world.emit("invoice.created", invoice)
    sub["_quiet"] = True
    invoicing.finalize(world, invoice)
    if invoice["status"] == "open":
        method = payment_methods.of_customer(world, customer, sub["default_payment_method"])
        result = invoicing.attempt(world, invoice, method, on_session=True)
        intent = world.store.get(invoice["_intent"])
        if result == "declined" and params.get("payment_behavior") == "error_if_incomplete" and intent:
            raise payments.card_error(world, intent, keeps_work=False)
    sub.pop("_quiet", None)
